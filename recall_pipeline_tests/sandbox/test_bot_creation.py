from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from recall_sandbox import Sandbox

ZOOM = "https://example.zoom.us/j/83456789012?pwd=opensesame"


def in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


def test_a_created_bot_can_be_looked_up(api: httpx.Client) -> None:
    join_at = in_an_hour()
    config: dict[str, Any] = {"audio_mixed_mp3": {}, "video_mixed_mp4": None}
    asked = {
        "meeting_url": ZOOM,
        "bot_name": "Notes",
        "join_at": join_at,
        "metadata": {"team": "sales"},
        "recording_config": config,
    }
    answer = api.post("/bot/", json=asked)
    assert answer.status_code == 201
    made = answer.json()
    assert made["meeting_url"] == {
        "meeting_id": "83456789012",
        "meeting_password": "opensesame",
        "platform": "zoom",
    }
    assert (made["bot_name"], made["metadata"]) == ("Notes", {"team": "sales"})
    assert made["recording_config"] == config
    assert datetime.fromisoformat(made["join_at"]) == datetime.fromisoformat(join_at)
    assert [change["code"] for change in made["status_changes"]] == ["ready"]
    assert made["recordings"] == []
    assert api.get(f"/bot/{made['id']}/").json() == made


def test_the_default_recording_config_requests_video_only(api: httpx.Client) -> None:
    made = api.post("/bot/", json={"meeting_url": ZOOM}).json()
    assert made["recording_config"] == {"video_mixed_mp4": {}}


def test_unknown_keys_are_ignored(api: httpx.Client) -> None:
    asked = {"meeting_url": ZOOM, "recording_config": {"audio_mixed": {}}, "colour": "red"}
    answer = api.post("/bot/", json=asked)
    assert answer.status_code == 201
    assert "colour" not in answer.json()
    assert "audio_mixed_mp3" not in answer.json()["recording_config"]


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("meeting_url", {}),
        ("meeting_url", {"meeting_url": ""}),
        ("meeting_url", {"meeting_url": "https://example.com/meeting"}),
        ("meeting_url", {"meeting_url": 7}),
        ("bot_name", {"meeting_url": ZOOM, "bot_name": "x" * 101}),
        ("metadata", {"meeting_url": ZOOM, "metadata": {"team": 7}}),
        ("metadata", {"meeting_url": ZOOM, "metadata": {"team": "x" * 501}}),
        ("metadata", {"meeting_url": ZOOM, "metadata": []}),
        ("join_at", {"meeting_url": ZOOM, "join_at": "tomorrow"}),
        ("join_at", {"meeting_url": ZOOM, "join_at": 7}),
        ("recording_config", {"meeting_url": ZOOM, "recording_config": "mp3"}),
    ],
)
def test_an_invalid_field_answers_400_with_its_name(api: httpx.Client, field: str, asked: dict[str, Any]) -> None:
    answer = api.post("/bot/", json=asked)
    assert answer.status_code == 400
    assert list(answer.json()) == [field]


@pytest.mark.parametrize("body", [b"{", b"[]", b""])
def test_a_body_that_is_not_a_json_object_answers_400(api: httpx.Client, body: bytes) -> None:
    answer = api.post("/bot/", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")


def test_an_empty_pool_answers_507_for_bots_that_join_now(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.behaviour.adhoc_bots = 1
    soon = (datetime.now(UTC) + timedelta(minutes=9)).isoformat()
    assert api.post("/bot/", json={"meeting_url": ZOOM}).status_code == 201
    refused = api.post("/bot/", json={"meeting_url": ZOOM, "join_at": soon})
    assert (refused.status_code, refused.headers["Retry-After"]) == (507, "30")


def test_a_scheduled_bot_does_not_need_the_pool(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.behaviour.adhoc_bots = 0
    asked = {"meeting_url": ZOOM, "join_at": in_an_hour()}
    assert api.post("/bot/", json=asked).status_code == 201


def test_a_repeated_idempotency_key_gets_the_same_bot(sandbox: Sandbox, api: httpx.Client) -> None:
    bots_before = len(sandbox.world.bots)
    headers = {"Idempotency-Key": "once"}
    made = [api.post("/bot/", json={"meeting_url": ZOOM}, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in made] == [201, 201]
    assert made[0].json() == made[1].json()
    assert len(sandbox.world.bots) == bots_before + 1


def test_after_507_only_a_new_idempotency_key_gets_a_bot(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.behaviour.adhoc_bots = 0

    def status(key: str) -> int:
        headers = {"Idempotency-Key": key}
        return api.post("/bot/", json={"meeting_url": ZOOM}, headers=headers).status_code

    assert status("first") == 507
    sandbox.behaviour.adhoc_bots = 1
    assert (status("first"), status("second")) == (507, 201)


def test_a_duplicate_during_the_first_request_answers_409(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.behaviour.create_seconds = 0.5
    headers = {"Idempotency-Key": "once"}

    def create(_: int) -> int:
        return api.post("/bot/", json={"meeting_url": ZOOM}, headers=headers).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(create, range(2))) == [201, 409]


@pytest.mark.parametrize(
    ("url", "platform"),
    [
        ("https://us02web.zoom.us/j/1", "zoom"),
        ("https://meet.google.com/abc-defg-hij", "google_meet"),
        ("https://teams.microsoft.com/l/meetup-join/x", "microsoft_teams"),
        ("https://acme.webex.com/meet/x", "webex"),
        ("https://meet.goto.com/123", "goto_meeting"),
    ],
)
def test_the_url_decides_the_platform(api: httpx.Client, url: str, platform: str) -> None:
    made = api.post("/bot/", json={"meeting_url": url}).json()
    assert made["meeting_url"]["platform"] == platform


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            "https://teams.microsoft.com/l/meetup-join/19%3ameeting_YQ%40thread.v2/0?context=%7b%22Tid%22%3a%22t%22%2c%22Oid%22%3a%22o%22%7d",
            {"thread_id": "19:meeting_YQ@thread.v2", "message_id": "0", "tenant_id": "t", "organizer_id": "o"},
        ),
        (
            "https://teams.microsoft.com/meet/2345678901234?p=opens",
            {"business_meeting_id": "2345678901234", "business_meeting_password": "opens"},
        ),
        (
            "https://teams.live.com/meet/9345678901234?p=opens",
            {"meeting_id": "9345678901234", "meeting_password": "opens"},
        ),
        ("https://acme.webex.com/acme/j.php?MTID=m0a1", {"meeting_subdomain": "acme", "meeting_mtid": "m0a1"}),
        ("https://acme.webex.com/meet/pr2651", {"meeting_subdomain": "acme", "meeting_personal_room_id": "pr2651"}),
        ("https://acme.webex.com/meet/sales", {"meeting_subdomain": "acme", "meeting_path": "sales"}),
    ],
)
def test_a_meeting_of_teams_or_webex_is_shown_with_the_fields_of_its_platform(
    api: httpx.Client, url: str, shown: dict[str, str]
) -> None:
    made = api.post("/bot/", json={"meeting_url": url}).json()["meeting_url"]
    own = {"meeting_id": None, **shown} if "teams.microsoft" in url else shown
    assert {name: value for name, value in made.items() if name != "platform"} == own
