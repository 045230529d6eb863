"""The MP3s of a day are found wherever Recall shows them, with as few questions as that takes."""

import json
from datetime import timedelta

import pytest

from recall_pipeline.days import utc_now
from recall_pipeline.errors import RecallProtocolError
from recall_pipeline_tests.workspace import NINE, Workspace, an_id, talk
from recall_sandbox import Rule
from recall_sandbox.content import RawAudio
from recall_sandbox.effects import EditJson, unavailable


def captured_states(workspace: Workspace) -> dict[str, tuple[str | None, str | None]]:
    """Status at Recall and state in the archive of every row, by artifact id."""
    return {row.audio_id: (row.status_code, row.state) for row in workspace.capture().rows}


def questions(workspace: Workspace) -> list[str]:
    """What was asked beside the three walks."""
    asked = [f"{access.path.removeprefix('/api/v1')}?{access.query}" for access in workspace.accesses(origin="api")]
    return [question for question in asked if "_after=" not in question and "/nothing/" not in question]


def test_an_mp3_that_only_the_list_shows_is_found(workspace: Workspace) -> None:
    [mp3] = workspace.meet("one", talk())
    assert captured_states(workspace) == {mp3.id: ("done", "archived")}
    assert questions(workspace) == []


def test_an_mp3_that_only_the_shortcut_shows_is_found(workspace: Workspace) -> None:
    [mp3] = workspace.meet("one", talk(), listed=False)
    workspace.world.change_recording(mp3.recording_id, shortcut_id=mp3.id)
    assert captured_states(workspace) == {mp3.id: ("done", "archived")}
    assert questions(workspace) == []


def test_every_mp3_of_a_recording_is_found_and_raw_audio_is_not_touched(workspace: Workspace) -> None:
    first, second = workspace.meet("one", talk(), talk(1))
    [raw] = workspace.meet("two", RawAudio(), format="raw")
    assert set(captured_states(workspace)) == {first.id, second.id}
    assert raw.id not in workspace.media_requests()


def test_an_mp3_made_after_the_listed_window_is_asked_for(workspace: Workspace) -> None:
    [mp3] = workspace.meet("one", talk())
    workspace.world.change_artifact(mp3.id, created_at=mp3.created_at + timedelta(days=1))
    assert captured_states(workspace) == {mp3.id: ("done", "archived")}
    assert questions(workspace) == [f"/audio_mixed/?recording_id={mp3.recording_id}"]
    workspace.sandbox.access_log.clear()
    captured_states(workspace)
    assert questions(workspace) == [f"/audio_mixed/{mp3.id}/?"]


@pytest.mark.parametrize("platform", ["webex", "slack_huddle_observer", "goto_meeting"])
def test_platforms_that_make_no_mp3_leave_nothing_to_ask(workspace: Workspace, platform: str) -> None:
    workspace.meet("one", platform=platform)
    assert captured_states(workspace) == {}
    assert questions(workspace) == []


def test_no_mp3_is_requested_for_a_bot_without_one_in_its_configuration(workspace: Workspace) -> None:
    workspace.meet("one")
    workspace.world.change_bot(an_id("one bot"), recording_config={"video_mixed_mp4": {}})
    captured_states(workspace)
    assert questions(workspace) == []


@pytest.mark.parametrize("status", ["processing", "paused"])
def test_a_recording_that_goes_on_leaves_nothing_to_ask(workspace: Workspace, status: str) -> None:
    workspace.meet("one")
    workspace.world.change_recording(an_id("one"), status=status)
    captured_states(workspace)
    assert questions(workspace) == []


def test_a_link_that_is_missing_is_asked_for_once_more(workspace: Workspace) -> None:
    [mp3] = workspace.meet("one", talk())

    def without_link(page: dict[str, list[dict[str, object]]]) -> object:
        return {**page, "results": [{**row, "data": {"download_url": None}} for row in page["results"]]}

    workspace.sandbox.faults.add(Rule(EditJson(without_link), origin="api", path="/audio_mixed/$"))
    assert captured_states(workspace) == {mp3.id: ("done", "archived")}
    assert questions(workspace) == [f"/audio_mixed/{mp3.id}/?"]


@pytest.mark.parametrize("reads_as", ["deleted", "gone"])
def test_an_archived_mp3_that_is_deleted_at_recall_stays_archived(workspace: Workspace, reads_as: str) -> None:
    [mp3] = workspace.meet("one", talk())
    captured_states(workspace)
    workspace.world.delete_artifact(mp3.id, reads_as)  # type: ignore[arg-type]
    assert captured_states(workspace) == {mp3.id: ("deleted", "archived")}
    assert workspace.content(workspace.row(mp3.id).source_key)


def test_what_is_known_to_be_gone_is_not_asked_for_again(workspace: Workspace) -> None:
    [mp3] = workspace.meet("one", talk())
    captured_states(workspace)
    workspace.world.delete_artifact(mp3.id, "gone")
    captured_states(workspace)
    workspace.sandbox.access_log.clear()
    assert captured_states(workspace) == {mp3.id: ("deleted", "archived")}
    assert questions(workspace) == []


def test_an_emptied_listing_is_no_deletion(workspace: Workspace) -> None:
    [mp3] = workspace.meet("one", talk())
    captured_states(workspace)
    workspace.world.empty_listings()
    assert captured_states(workspace) == {mp3.id: ("done", "archived")}


def test_an_mp3_that_failed_is_not_fetched(workspace: Workspace) -> None:
    [mp3] = workspace.meet("one", None, status="failed", sub_code="mixing_failed")
    assert captured_states(workspace) == {mp3.id: ("failed", None)}
    assert workspace.media_requests() == []


def test_an_mp3_whose_link_cannot_be_asked_for_stops_no_other(workspace: Workspace) -> None:
    [hidden] = workspace.meet("one", None)
    [mp3] = workspace.meet("two", talk())
    workspace.sandbox.faults.add(Rule(unavailable(500), origin="api", path=f"/audio_mixed/{hidden.id}/"))
    assert captured_states(workspace) == {hidden.id: ("done", None), mp3.id: ("done", "archived")}


def test_an_mp3_that_cannot_be_read_by_its_id_stops_no_other(workspace: Workspace) -> None:
    [hidden] = workspace.meet("one", talk())
    captured_states(workspace)
    workspace.world.change_artifact(hidden.id, listed=False)
    [mp3] = workspace.meet("two", talk())
    workspace.sandbox.faults.add(Rule(unavailable(500), origin="api", path=f"/audio_mixed/{hidden.id}/"))
    assert captured_states(workspace) == {hidden.id: ("done", "archived"), mp3.id: ("done", "archived")}


def test_metadata_and_unknown_fields_are_carried(workspace: Workspace) -> None:
    [mp3] = workspace.meet("one", None, status="processing")

    def grown(page: dict[str, list[dict[str, object]]]) -> object:
        return {**page, "results": [{**row, "loudness": -20, "token": "t"} for row in page["results"]]}

    workspace.sandbox.faults.add(Rule(EditJson(grown), origin="api", path="/audio_mixed/$"))
    captured_states(workspace)
    assert json.loads(workspace.row(mp3.id).other_fields or "") == {"loudness": -20}


def without_links(workspace: Workspace, data: object) -> None:
    """Show artifacts with this `data` and no other link."""

    def of_row(row: dict[str, object]) -> dict[str, object]:
        return {**row, "data": data}

    def of_page(page: dict[str, list[dict[str, object]]]) -> object:
        return {**page, "results": [of_row(row) for row in page["results"]]}

    workspace.sandbox.faults.add(Rule(EditJson(of_page), path="/audio_mixed/$"))
    workspace.sandbox.faults.add(Rule(EditJson(of_row), path="/audio_mixed/[0-9a-f-]{36}/$"))


@pytest.mark.parametrize("data", [None, {"url": "https://media.invalid/a.mp3?Signature=hidden"}, "https://a.invalid"])
def test_five_finished_mp3s_without_any_link_are_an_error_of_the_contract(data: object, workspace: Workspace) -> None:
    for number in range(5):
        workspace.meet(f"meeting {number}", talk())
    without_links(workspace, data)
    with pytest.raises(RecallProtocolError, match="5 MP3s are done for over an hour, and none has a download URL") as e:
        workspace.capture()
    assert "expected id (a UUID), recording, status, data with download_url; came created_at (text), data (" in str(
        e.value
    )
    assert "invalid" not in str(e.value)


@pytest.mark.parametrize("case", ["four", "one has a link", "done just now", "expired"])
def test_missing_links_with_another_explanation_are_not_an_error(case: str, workspace: Workspace) -> None:
    expires_at = NINE + timedelta(days=7) if case == "expired" else None
    mp3s = [
        mp3 for n in range(4 if case == "four" else 5) for mp3 in workspace.meet(f"m{n}", None, expires_at=expires_at)
    ]
    if case == "one has a link":
        workspace.world.finish_artifact(mp3s[0].id, talk())
    if case == "done just now":
        workspace.world.change_artifact(mp3s[0].id, updated_at=utc_now())
    assert len(workspace.capture().rows) == len(mp3s)
