"""The sandbox tells of its changes by signed webhooks, as often as it takes, and as badly as it is asked to."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from recall_sandbox import World, demo_world
from recall_sandbox.speech import Speech
from recall_sandbox.webhooks import SECRET, DeliveryOptions, Webhooks

TODAY = date(2026, 3, 10)


class Ear(ThreadingHTTPServer):
    """Writes down what it is told; answers with the next of `answers`, then with 204."""

    request_queue_size = 128  # with the library's 5, a burst is refused on a busy machine

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Listening)
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.url = f"http://127.0.0.1:{self.server_port}/"

    def proven(self) -> list[dict[str, object]]:
        """Each payload whose signature is good."""
        return [json.loads(body) for headers, body in self.heard if _is_proven(headers, body)]


class _Listening(BaseHTTPRequestHandler):
    server: Ear

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _is_proven(headers: dict[str, str], body: bytes) -> bool:
    standard = {name.replace("svix-", "webhook-"): value for name, value in headers.items()}
    try:
        Webhook(SECRET).verify(body, standard)
    except WebhookVerificationError:
        return False
    return True


@pytest.fixture
def ear() -> Iterator[Ear]:
    with Ear() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def world() -> World:
    return demo_world(TODAY)


def test_a_change_is_told_with_the_ids_of_all_it_concerns(ear: Ear, world: World) -> None:
    artifact = next(row for row in world.artifacts if row.status == "processing")
    with Webhooks(world, ear.url).running() as webhooks:
        world.finish_artifact(artifact.id, Speech(2))
        webhooks.wait_until_told()
    (told,) = ear.proven()
    assert told["event"] == "audio_mixed.done"
    data = told["data"]
    assert isinstance(data, dict)
    assert data["data"]["code"] == "done"
    recording = world.recordings.get(artifact.recording_id)
    assert recording is not None
    assert (data["audio_mixed"]["id"], data["recording"]["id"]) == (artifact.id, recording.id)
    assert data["bot"]["id"] == recording.bot_id


def test_a_deletion_is_told_of_the_recording_and_its_audio(ear: Ear, world: World) -> None:
    artifact = next(row for row in world.artifacts if row.status == "done")
    with Webhooks(world, ear.url).running() as webhooks:
        world.delete_recording(artifact.recording_id)
        webhooks.wait_until_told()
    assert {told["event"] for told in ear.proven()} == {"recording.deleted", "audio_mixed.deleted"}


def test_what_is_refused_comes_again_until_it_is_taken(ear: Ear, world: World) -> None:
    ear.answers = [500, 404, 503]
    with Webhooks(world, ear.url, manners=DeliveryOptions(time_scale=1e-4)).running() as webhooks:
        world.finish_artifact(next(row.id for row in world.artifacts if row.status == "processing"), Speech(2))
        webhooks.wait_until_told()
        tried = [delivery.status for delivery in webhooks.deliveries]
    assert tried == [500, 404, 503, 204]
    assert len({delivery.event_id for delivery in webhooks.deliveries}) == 1


def test_a_receiver_that_is_down_is_tried_as_often_as_svix_does(world: World) -> None:
    manners = DeliveryOptions(time_scale=1e-6)
    with Webhooks(world, "http://127.0.0.1:9/", manners=manners).running() as webhooks:
        world.finish_artifact(next(row.id for row in world.artifacts if row.status == "processing"), Speech(2))
        webhooks.wait_until_told()
    assert [delivery.status for delivery in webhooks.deliveries] == [None] * 8


def test_it_can_begin_with_all_that_is_and_be_as_bad_as_asked(ear: Ear, world: World) -> None:
    manners = DeliveryOptions(duplicated=0.5, forged=0.5, disorder_seconds=0.2, tells_the_past=True)
    with Webhooks(world, ear.url, manners=manners).running() as webhooks:
        webhooks.wait_until_told()
    heard = [
        headers.get("webhook-id") or headers["svix-id"] for headers, body in ear.heard if _is_proven(headers, body)
    ]
    answered = [delivery for delivery in webhooks.deliveries if delivery.status is not None]
    genuine = Counter(delivery.event_id for delivery in answered if not delivery.forged)
    assert Counter(heard) == genuine
    assert {1, 2} == set(genuine.values())
    assert len(ear.heard) - len(heard) == sum(delivery.forged for delivery in answered) > 0
    types = [told["event"] for told in ear.proven()]
    assert types != sorted(types, key=lambda name: ("bot", "rec", "aud").index(str(name)[:3]))
    assert {"bot.done", "recording.done", "audio_mixed.done", "recording.processing"} <= set(types)
