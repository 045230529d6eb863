"""The sandbox sends its changes by signed webhooks, with retries, and with faults on request."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from recall_sandbox import World, demo_world
from recall_sandbox.records import SandboxStatusChange
from recall_sandbox.speech import Speech
from recall_sandbox.webhooks import SECRET, DeliveryOptions, Webhooks

TODAY = date(2026, 3, 10)


class Receiver(ThreadingHTTPServer):
    """Records each request; answers with the next of `answers`, then with 204."""

    request_queue_size = 128  # with the library's 5, a burst is refused on a busy machine

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.url = f"http://127.0.0.1:{self.server_port}/"

    def verified(self) -> list[dict[str, object]]:
        """The payloads with a valid signature."""
        return [json.loads(body) for headers, body in self.requests if _is_verified(headers, body)]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def _is_verified(headers: dict[str, str], body: bytes) -> bool:
    standard = {name.replace("svix-", "webhook-"): value for name, value in headers.items()}
    try:
        Webhook(SECRET).verify(body, standard)
    except WebhookVerificationError:
        return False
    return True


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def world() -> World:
    return demo_world(TODAY)


def test_an_event_has_the_ids_of_all_objects_that_it_concerns(receiver: Receiver, world: World) -> None:
    artifact = next(row for row in world.artifacts if row.status == "processing")
    with Webhooks(world, receiver.url).running() as webhooks:
        world.finish_artifact(artifact.id, Speech(2))
        webhooks.wait_until_delivered()
    (event,) = receiver.verified()
    assert event["event"] == "audio_mixed.done"
    data = event["data"]
    assert isinstance(data, dict)
    assert data["data"]["code"] == "done"
    recording = world.recordings.get(artifact.recording_id)
    assert recording is not None
    assert (data["audio_mixed"]["id"], data["recording"]["id"]) == (artifact.id, recording.id)
    assert data["bot"]["id"] == recording.bot_id


def test_a_deletion_sends_an_event_for_the_recording_and_one_for_its_audio(receiver: Receiver, world: World) -> None:
    artifact = next(row for row in world.artifacts if row.status == "done")
    with Webhooks(world, receiver.url).running() as webhooks:
        world.delete_recording(artifact.recording_id)
        webhooks.wait_until_delivered()
    assert {event["event"] for event in receiver.verified()} == {"recording.deleted", "audio_mixed.deleted"}


def test_an_old_set_up_sends_status_changes_of_bots_only(receiver: Receiver, world: World) -> None:
    bot = next(iter(world.bots))
    with Webhooks(world, receiver.url, options=DeliveryOptions(old_style=True)).running() as webhooks:
        world.delete_artifact(next(iter(world.artifacts)).id)
        world.change_bot(
            bot.id,
            status_changes=(*bot.status_changes, SandboxStatusChange("fatal", datetime(2026, 3, 10, tzinfo=UTC))),
        )
        webhooks.wait_until_delivered()
    (event,) = receiver.verified()
    data = event["data"]
    assert isinstance(data, dict)
    assert (event["event"], data["bot_id"], data["status"]["code"]) == ("bot.status_change", bot.id, "fatal")


def test_a_refused_event_is_sent_again_until_it_is_accepted(receiver: Receiver, world: World) -> None:
    receiver.answers = [500, 404, 503]
    with Webhooks(world, receiver.url, options=DeliveryOptions(time_scale=1e-4)).running() as webhooks:
        world.finish_artifact(next(row.id for row in world.artifacts if row.status == "processing"), Speech(2))
        webhooks.wait_until_delivered()
        statuses = [delivery.status for delivery in webhooks.deliveries]
    assert statuses == [500, 404, 503, 204]
    assert len({delivery.event_id for delivery in webhooks.deliveries}) == 1


def test_an_unreachable_receiver_gets_as_many_attempts_as_from_svix(world: World) -> None:
    options = DeliveryOptions(time_scale=1e-6)
    with Webhooks(world, "http://127.0.0.1:9/", options=options).running() as webhooks:
        world.finish_artifact(next(row.id for row in world.artifacts if row.status == "processing"), Speech(2))
        webhooks.wait_until_delivered()
    assert [delivery.status for delivery in webhooks.deliveries] == [None] * 8


def test_it_can_start_with_past_events_and_duplicate_forge_and_reorder(receiver: Receiver, world: World) -> None:
    options = DeliveryOptions(duplicated=0.5, forged=0.5, disorder_seconds=0.2, includes_past=True)
    with Webhooks(world, receiver.url, options=options).running() as webhooks:
        webhooks.wait_until_delivered()
    received = [
        headers.get("webhook-id") or headers["svix-id"]
        for headers, body in receiver.requests
        if _is_verified(headers, body)
    ]
    answered = [delivery for delivery in webhooks.deliveries if delivery.status is not None]
    genuine = Counter(delivery.event_id for delivery in answered if not delivery.forged)
    assert Counter(received) == genuine
    assert {1, 2} == set(genuine.values())
    assert len(receiver.requests) - len(received) == sum(delivery.forged for delivery in answered) > 0
    types = [event["event"] for event in receiver.verified()]
    assert types != sorted(types, key=lambda name: ("bot", "rec", "aud").index(str(name)[:3]))
    assert {"bot.done", "recording.done", "audio_mixed.done", "recording.processing"} <= set(types)
