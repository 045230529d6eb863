from collections import Counter
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from recall_pipeline_tests.sandbox.api_reads import all_rows, bot_of, fresh_link, ids, rows_for
from recall_pipeline_tests.sandbox.conftest import NOON, TODAY
from recall_sandbox import World, demo_world
from recall_sandbox.demo import demo_meetings
from recall_sandbox.meetings import SampleMeeting
from recall_sandbox.speech import Speech

OUTCOMES = {
    "ready",
    "silent",
    "corrupt",
    "failed_upstream",
    "expired",
    "deleted",
    "processing",
    "unsupported_platform",
    "not_requested",
}


@pytest.fixture(scope="module")
def world() -> World:
    return demo_world(TODAY)


def test_the_same_day_gives_the_same_world() -> None:
    first, second = demo_world(TODAY), demo_world(TODAY)
    assert list(first.bots) == list(second.bots)
    assert list(first.recordings) == list(second.recordings)
    assert list(first.artifacts) == list(second.artifacts)


def test_another_day_gives_other_ids() -> None:
    def identities(today: date) -> set[str]:
        return {row.id for row in demo_world(today).recordings}

    assert identities(TODAY) & identities(TODAY + timedelta(days=1)) == set()


def test_all_meetings_are_in_the_five_days_before_today(world: World) -> None:
    days = {row.created_at.date() for row in world.recordings}
    assert days == {TODAY - timedelta(days=ago) for ago in range(1, 6)}
    midnight = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC)
    assert all(change.created_at < midnight for bot in world.bots for change in bot.status_changes)


@pytest.mark.parametrize("meeting", demo_meetings(), ids=lambda meeting: meeting.key)
def test_the_expected_outcomes_are_those_of_the_meeting_file(world: World, meeting: SampleMeeting) -> None:
    recordings = {row.id for row in rows_for(meeting.key)[1]}
    rows = [row for row in world.expected_rows(NOON) if row.recording_id in recordings]
    assert tuple(row.outcome for row in rows) == meeting.outcomes


def test_the_demo_has_every_outcome_of_the_service(world: World) -> None:
    assert {row.outcome for row in world.expected_rows(NOON)} == OUTCOMES


def test_all_mp3s_differ(world: World) -> None:
    counts = Counter(row.digest.sha256 for row in world.expected_rows(NOON) if row.is_archived)
    assert len(counts) > 20
    assert set(counts.values()) == {1}


def test_all_audio_together_is_shorter_than_25_minutes(world: World) -> None:
    spoken = [row.content for row in world.artifacts if isinstance(row.content, Speech)]
    assert sum(speech.seconds for speech in spoken) < 25 * 60
    assert len({speech.rate_hz for speech in spoken}) >= 7
    assert {speech.channels for speech in spoken} == {1, 2}


def test_a_meeting_over_midnight_has_recordings_on_two_days_and_a_bot_on_the_first() -> None:
    [bot], recordings, _ = rows_for("over-midnight")
    assert bot.join_at is not None
    days = [row.created_at.date() for row in recordings]
    assert days == [bot.join_at.date(), bot.join_at.date() + timedelta(days=1)]


def test_passwords_are_in_a_string_and_in_an_object(api: httpx.Client) -> None:
    as_string = api.get(f"/bot/{bot_of('telephone').id}/").json()["meeting_url"]
    as_object = api.get(f"/bot/{bot_of('no-length-header').id}/").json()["meeting_url"]
    assert "pwd=sandbox-url-password" in as_string
    assert as_object == bot_of("no-length-header").meeting_url
    assert as_object["meeting_password"]
    assert api.get(f"/bot/{bot_of('new-platform').id}/").json()["meeting_url"] is None


def test_every_archived_mp3_can_be_downloaded_byte_for_byte(
    world: World, api: httpx.Client, storage: httpx.Client
) -> None:
    archived = [row for row in world.expected_rows(NOON) if row.is_archived and row.audio_id]
    for row in archived:
        body = storage.get(fresh_link(api, str(row.audio_id))).raise_for_status().content
        assert body == row.body


def test_the_api_shows_the_odd_shapes_of_the_meeting_file(api: httpx.Client) -> None:
    recordings = {row["id"]: row for row in all_rows(api, "/recording/")}

    def shown(key: str) -> dict[str, object]:
        recording: dict[str, object] = recordings[rows_for(key)[1][0].id]
        return recording

    def shortcut(key: str) -> dict[str, object] | None:
        audio: dict[str, object] | None = shown(key)["media_shortcuts"]["audio_mixed"]  # type: ignore[index]
        return audio

    assert shortcut("whispers") is None
    assert shortcut("raw-in-shortcut") is not None
    assert shortcut("raw-in-shortcut")["format"] == "raw"  # type: ignore[index]
    assert shown("desktop")["bot"] is None
    assert shown("desktop")["desktop_sdk_upload"] is not None
    assert shown("unicode")["started_at"] is None
    assert shown("later-status")["generation"] == 3
    assert len(api.get(f"/bot/{bot_of('interview').id}/").json()["recordings"]) == 3
    assert ids(all_rows(api, "/audio_mixed/")) >= {row.id for row in rows_for("two-mixes")[2]}
