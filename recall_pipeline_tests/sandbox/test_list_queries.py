from datetime import UTC, datetime, timedelta

import httpx
import pytest

from recall_pipeline_tests.sandbox.api_reads import all_rows, artifact_of, bot_of, ids, recording_of, rows_for
from recall_pipeline_tests.sandbox.conftest import TODAY
from recall_sandbox import Sandbox
from recall_sandbox.behaviour import Closed


def day(days_ago: int) -> str:
    return (TODAY - timedelta(days=days_ago)).isoformat()


def test_join_at_after_is_included_and_join_at_before_is_not(api: httpx.Client) -> None:
    kickoff = bot_of("kickoff")
    assert kickoff.join_at is not None
    at = kickoff.join_at.isoformat()
    later = (kickoff.join_at + timedelta(seconds=1)).isoformat()
    assert kickoff.id in ids(all_rows(api, "/bot/", join_at_after=at))
    assert kickoff.id not in ids(all_rows(api, "/bot/", join_at_after=later))
    assert kickoff.id not in ids(all_rows(api, "/bot/", join_at_before=at))
    assert kickoff.id in ids(all_rows(api, "/bot/", join_at_before=later))


def test_a_join_at_filter_omits_bots_without_join_at(api: httpx.Client) -> None:
    without = bot_of("no-join-at").id
    assert without in ids(all_rows(api, "/bot/"))
    assert without not in ids(all_rows(api, "/bot/", join_at_after="2020-01-01T00:00:00Z"))


def test_filters_by_date_ignore_the_time_of_day(sandbox: Sandbox, api: httpx.Client) -> None:
    window = {"join_at_after": f"{day(4)}T23:00:00Z", "join_at_before": f"{day(3)}T12:00:00Z"}
    assert all_rows(api, "/bot/", **window) != []
    sandbox.behaviour.join_at_granularity = "date"
    shown = all_rows(api, "/bot/", **window)
    assert {row["join_at"][:10] for row in shown} == {day(4)}


def test_a_filter_reads_a_date_as_its_midnight(api: httpx.Client) -> None:
    shown = all_rows(api, "/bot/", join_at_after=day(4), join_at_before=day(3))
    assert {row["join_at"][:10] for row in shown} == {day(4)}


@pytest.mark.parametrize(
    ("filters", "keys"),
    [
        ({"platform": ["webex", "goto_meeting"]}, {"webex", "goto"}),
        ({"status": "insights_ready"}, {"later-status"}),
        ({"status": ["fatal", "media_expired"]}, {"thrown-out", "never-let-in", "media-expired"}),
        ({"metadata__team": "sales"}, {"kickoff"}),
        ({"metadata__team": "sales", "metadata__customer": "nobody"}, set()),
        ({"meeting_url": bot_of("telephone").requested_url}, {"telephone"}),
        ({"unknown_filter": "x", "platform": "holo_meet"}, {"new-platform"}),
    ],
)
def test_bots_are_filtered(api: httpx.Client, filters: dict[str, str | list[str]], keys: set[str]) -> None:
    assert ids(all_rows(api, "/bot/", **filters)) == {bot_of(key).id for key in keys}


def test_recordings_are_filtered_by_bot_status_and_metadata(api: httpx.Client) -> None:
    interview = {row.id for row in rows_for("interview")[1]}
    assert ids(all_rows(api, "/recording/", bot_id=bot_of("interview").id)) == interview
    assert ids(all_rows(api, "/recording/", status_code="paused")) == {recording_of("on-hold").id}
    assert ids(all_rows(api, "/recording/", metadata__team="everybody")) == {recording_of("all-hands").id}


def test_artifacts_are_filtered_by_recording_and_status(api: httpx.Client) -> None:
    recording = recording_of("raw-beside")
    shown = all_rows(api, "/audio_mixed/", recording_id=recording.id)
    assert sorted(row["format"] for row in shown) == ["mp3", "raw"]
    assert {row["recording"]["id"] for row in shown} == {recording.id}
    assert ids(all_rows(api, "/audio_mixed/", status_code="failed")) == {artifact_of("mixing-failed").id}


@pytest.mark.parametrize(
    ("closed", "at_start", "at_end"),
    [
        ("left", True, False),
        ("right", False, True),
        ("both", True, True),
        ("neither", False, False),
    ],
)
@pytest.mark.parametrize("path", ["/recording/", "/audio_mixed/"])
def test_each_bound_of_created_at_can_be_included(
    sandbox: Sandbox, api: httpx.Client, path: str, closed: Closed, at_start: bool, at_end: bool
) -> None:
    sandbox.behaviour.created_at_closed = closed
    at = recording_of("kickoff").created_at
    wanted = {recording_of("kickoff").id, artifact_of("kickoff").id}
    hour = timedelta(hours=1)
    from_it = ids(all_rows(api, path, created_at_after=at, created_at_before=at + hour))
    to_it = ids(all_rows(api, path, created_at_after=at - hour, created_at_before=at))
    assert (bool(from_it & wanted), bool(to_it & wanted)) == (at_start, at_end)


def test_an_artifact_is_filtered_by_its_own_created_at(api: httpx.Client) -> None:
    late = artifact_of("late-artifact")
    midnight = datetime(TODAY.year, TODAY.month, TODAY.day - 1, tzinfo=UTC)
    assert recording_of("late-artifact").created_at < midnight < late.created_at
    assert late.id in ids(all_rows(api, "/audio_mixed/", created_at_after=midnight))
    assert late.recording_id not in ids(all_rows(api, "/recording/", created_at_after=midnight))


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        ("/bot/", "join_at_after", "yesterday"),
        ("/recording/", "created_at_before", "2026-13-01"),
        ("/recording/", "status_code", "deleted"),
        ("/audio_mixed/", "status_code", "paused"),
        ("/recording/", "bot_id", "no-uuid"),
        ("/audio_mixed/", "recording_id", "../secrets"),
    ],
)
def test_an_invalid_filter_answers_400_with_its_name(api: httpx.Client, path: str, field: str, value: str) -> None:
    answer = api.get(path, params={field: value})
    assert answer.status_code == 400
    assert list(answer.json()) == [field]


def test_lookups_still_work_while_all_lists_are_empty(sandbox: Sandbox, api: httpx.Client) -> None:
    assert all_rows(api, "/recording/") != []
    sandbox.world.empty_listings()
    for path in ("/bot/", "/recording/", "/audio_mixed/"):
        assert all_rows(api, path) == []
    assert api.get(f"/bot/{bot_of('kickoff').id}/").status_code == 200
    sandbox.world.empty_listings(empty=False)
    assert all_rows(api, "/recording/") != []
