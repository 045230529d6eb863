"""What is proven is durable before it is acknowledged; everything else is refused and leaves nothing."""

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from recall_pipeline.days import utc_now
from recall_pipeline.errors import SettingsError, StorageError
from recall_pipeline.settings import Settings
from recall_pipeline.webhooks import Event, EventStore
from recall_pipeline.webhooks.receiver import MAX_BODY_BYTES, webhook_app
from recall_pipeline_tests.storages import stored
from recall_pipeline_tests.webhooks.conftest import receiving
from recall_pipeline_tests.webhooks.signing import AUDIO, BOT, OTHER_SECRET, RECORDING, SECRET, headers, payload

BODY = payload()
CHANGED = "2026-03-02T09:31:02.500000+00:00"


def events(storage_url: str) -> dict[str, bytes]:
    """What lies in the storage beside the spool."""
    return {key: content for key, content in stored(storage_url).items() if not key.startswith("_spool")}


@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET])
@pytest.mark.parametrize("path", ["/", "/hooks/recall"])
def test_a_verified_event_is_stored_with_ids_type_and_times_only(
    receiver: httpx.Client, storage_url: str, secret: str, path: str
) -> None:
    answer = receiver.post(path, content=BODY, headers=headers(BODY, secret=secret))
    assert (answer.status_code, answer.content) == (204, b"")
    ((key, content),) = events(storage_url).items()
    assert key == "_events/msg_1.json"
    kept = json.loads(content)
    assert kept.pop("received_at")
    assert kept == {
        "event_id": "msg_1",
        "type": "audio_mixed.done",
        "changed_at": "2026-03-02T09:31:02.500000Z",
        "recording_id": RECORDING,
        "bot_id": BOT,
        "audio_id": AUDIO,
    }


def test_a_repeated_event_is_acknowledged_and_unchanged(receiver: httpx.Client, storage_url: str) -> None:
    first = receiver.post("/", content=BODY, headers=headers(BODY, spelling="svix"))
    before = events(storage_url)
    again = receiver.post("/", content=BODY, headers=headers(BODY))
    assert (first.status_code, again.status_code) == (204, 204)
    assert events(storage_url) == before


def test_an_unsigned_id_is_not_used(receiver: httpx.Client, storage_url: str) -> None:
    signed = headers(BODY, "msg_signed", spelling="svix") | {"webhook-id": "msg_of_anybody"}
    assert receiver.post("/", content=BODY, headers=signed).status_code == 204
    assert list(events(storage_url)) == ["_events/msg_signed.json"]


def test_two_receivers_store_a_burst_with_duplicates_once(
    receiver: httpx.Client, storage_url: str, inbox: EventStore
) -> None:
    settings = Settings(storage_url=storage_url, webhook_secret=SecretStr(SECRET))
    with receiving(settings) as other, ThreadPoolExecutor(8) as pool:
        sent = [(client, f"msg_{number % 30}") for number in range(40) for client in (receiver, other)]
        answers = pool.map(lambda one: one[0].post("/", content=BODY, headers=headers(BODY, one[1])), sent)
        assert {answer.status_code for answer in answers} == {204}
    assert {event.event_id for event in inbox.pending()} == {f"msg_{number}" for number in range(30)}


@pytest.mark.parametrize("event", ["bot.in_waiting_room", "transcript.done", "sdk_upload.of.tomorrow"])
def test_an_unknown_type_is_accepted_and_stored(receiver: httpx.Client, inbox: EventStore, event: str) -> None:
    body = payload(event, bot=BOT)
    assert receiver.post("/", content=body, headers=headers(body)).status_code == 204
    assert [kept.type for kept in inbox.pending()] == [event]


@pytest.mark.parametrize(
    "body",
    [
        b'{"event":"bot.done"}',
        b'{"event":"bot.done","data":null}',
        b'{"event":"bot.done","data":{"bot":{"id":"../x"}}}',
    ],
)
def test_an_event_without_usable_ids_is_stored_without_them(
    receiver: httpx.Client, inbox: EventStore, body: bytes
) -> None:
    assert receiver.post("/", content=body, headers=headers(body)).status_code == 204
    (kept,) = inbox.pending()
    assert (kept.type, kept.bot_id) == ("bot.done", None)


class TestRefusals:
    """None of these needs a second kind of storage."""

    @pytest.fixture
    def storage_url(self, folder_url: str) -> str:
        return folder_url

    @pytest.fixture(autouse=True)
    def leaves_nothing(self, storage_url: str) -> Iterator[None]:
        """After each of these tests nothing lies in the archive."""
        yield
        assert not Path(storage_url).exists()

    def test_an_unsigned_request_is_unauthorized(self, receiver: httpx.Client) -> None:
        answer = receiver.post("/", content=BODY)
        assert answer.status_code == 401
        assert answer.json()["detail"].startswith("Missing the headers")

    def test_a_forged_request_is_unauthorized(self, receiver: httpx.Client) -> None:
        answer = receiver.post("/", content=BODY + b" ", headers=headers(BODY))
        assert (answer.status_code, answer.json()) == (401, {"detail": "No matching signature found"})

    @pytest.mark.parametrize("body", [b"", b"no json", b"[]", b"null", b'{"data":{}}', b'{"event":5}', b"[" * 100_000])
    def test_a_signed_body_that_is_not_an_event_is_a_bad_request(self, receiver: httpx.Client, body: bytes) -> None:
        answer = receiver.post("/", content=body, headers=headers(body))
        assert answer.status_code == 400
        assert "Not a Recall.ai event" in answer.json()["detail"]

    @pytest.mark.parametrize("event_id", ["../msg_1", "a/b", ".", "msg 1", "m" * 200, "msg_1.json"])
    def test_an_id_that_is_not_a_file_name_is_a_bad_request(self, receiver: httpx.Client, event_id: str) -> None:
        assert receiver.post("/", content=BODY, headers=headers(BODY, event_id)).status_code == 400

    def test_a_type_with_other_characters_is_a_bad_request(self, receiver: httpx.Client) -> None:
        body = payload("<b>Contoso</b>")
        assert receiver.post("/", content=body, headers=headers(body)).status_code == 400

    def test_a_body_that_is_too_large_is_refused_with_or_without_a_length(self, receiver: httpx.Client) -> None:
        body = b" " * MAX_BODY_BYTES + BODY
        response = receiver.post("/", content=body, headers=headers(body))
        chunks = receiver.post("/", content=iter([body[:1000], body[1000:]]), headers=headers(body))
        assert (response.status_code, chunks.status_code) == (413, 413)

    def test_another_method_is_not_allowed(self, receiver: httpx.Client) -> None:
        assert receiver.put("/", content=BODY, headers=headers(BODY)).status_code == 405

    def test_it_answers_health_requests(self, receiver: httpx.Client) -> None:
        assert receiver.get("/health").json() == {"status": "ok"}

    def test_a_storage_failure_asks_for_another_delivery(
        self, receiver: httpx.Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise StorageError("cannot write it: No space left on device. Free some space")

        monkeypatch.setattr(EventStore, "store", full)
        answer = receiver.post("/", content=BODY, headers=headers(BODY))
        assert (answer.status_code, answer.json()) == (503, {"detail": "The event could not be stored: send it again"})

    def test_neither_a_body_nor_a_secret_nor_a_signature_is_logged(
        self, receiver: httpx.Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        signed = headers(BODY)
        for body in (BODY + b" ", b"x" * (MAX_BODY_BYTES + 1), b"{}"):
            receiver.post("/", content=body, headers=signed)
        assert "refused with 401" in caplog.text
        for secret in (SECRET, SECRET.removeprefix("whsec_"), "Contoso", RECORDING, signed["webhook-signature"][3:]):
            assert secret not in caplog.text

    def test_without_a_secret_there_is_no_receiver(self, storage_url: str) -> None:
        with pytest.raises(SettingsError, match="RECALL_WEBHOOK_SECRET is not set"):
            webhook_app(Settings(storage_url=storage_url))


def test_an_event_is_on_disk_before_it_is_acknowledged(folder_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    store = EventStore.store
    monkeypatch.setattr("os.fsync", lambda _: order.append("synced"))

    def kept(inbox: EventStore, event: Event) -> bool:
        is_new = store(inbox, event)
        order.append("kept")
        return is_new

    monkeypatch.setattr(EventStore, "store", kept)
    with receiving(Settings(storage_url=folder_url, webhook_secret=SecretStr(SECRET))) as client:
        assert client.post("/", content=BODY, headers=headers(BODY)).status_code == 204
    assert order == ["synced", "synced", "kept"]  # the file, then its name


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"event": "bot.status_change", "data": {"bot_id": BOT, "status": {"code": "done", "created_at": CHANGED}}},
            ("bot.done", None, BOT),
        ),
        (
            {"event": "sdk_upload.complete", "data": {"data": {"updated_at": CHANGED}, "recording": {"id": RECORDING}}},
            ("sdk_upload.complete", RECORDING, None),
        ),
        (
            {
                "event": "recording.failed",
                "data": {"data": {"updated_at": CHANGED, "error": {"code": "x"}}, "recording": {"id": RECORDING}},
            },
            ("recording.failed", RECORDING, None),
        ),
    ],
)
def test_the_events_of_old_and_new_endpoints_are_parsed(
    body: dict[str, object], expected: tuple[str, str | None, str | None]
) -> None:
    event = Event.from_webhook("msg_1", json.dumps(body).encode(), utc_now())
    assert event is not None
    assert (event.type, event.recording_id, event.bot_id) == expected
    assert event.changed_at == datetime.fromisoformat(CHANGED)
