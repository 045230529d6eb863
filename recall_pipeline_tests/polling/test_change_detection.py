"""A copy of an object within another one is a change only where it shows more than the archive has."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from recall_pipeline.polling import ArchiveState
from recall_pipeline.recall_api import AnyListed, AudioMixed, Bot, list_days, open_client
from recall_pipeline.recall_api.records import read_record
from recall_pipeline_tests.workspace import DAY, NINE, Workspace, an_id, talk
from recall_sandbox import Rule, Sandbox
from recall_sandbox.effects import EditJson

LATER = NINE + timedelta(hours=2)
STATUS = {"code": "done", "sub_code": None, "updated_at": LATER.isoformat()}
_CURRENT = object()


@pytest.fixture
def workspace(sandbox: Sandbox, settings: Any) -> Workspace:
    return Workspace(sandbox, settings)


def changes(workspace: Workspace) -> list[str]:
    """The kinds of the changes that all listings of the day show."""

    async def listed() -> list[AnyListed]:
        async with open_client(workspace.settings) as client:
            listing = await list_days(client, DAY, DAY)
            return [*listing.bots.values(), *listing.recordings.values(), *listing.audio_mixed.values()]

    found = ArchiveState(workspace.archive).changes_in(asyncio.run(listed()))
    return sorted(change.fact.split()[0] for change in found if not change.fact.startswith("bot"))


def edit_rows(workspace: Workspace, kind: str, **fields: Any) -> Rule:
    """Replace fields of every row of a list; `_CURRENT` removes one."""

    def edited(page: dict[str, Any]) -> object:
        rows = [{k: v for k, v in {**row, **fields}.items() if v is not _CURRENT} for row in page["results"]]
        return {**page, "results": rows}

    return workspace.sandbox.faults.add(Rule(EditJson(edited), path=f"/{kind}/$"))


def embed(workspace: Workspace, **fields: Any) -> None:
    """Replace fields of the recordings within bots."""

    def edited(page: dict[str, Any]) -> object:
        rows = [{**row, "recordings": [{**copy, **fields} for copy in row["recordings"]]} for row in page["results"]]
        return {**page, "results": rows}

    workspace.sandbox.faults.add(Rule(EditJson(edited), path="/bot/$"))


@pytest.mark.parametrize("shape", ["four_fields", "nulls", "mixed", "full"])
@pytest.mark.parametrize("link_place", ["flat", "nested"])
def test_a_synced_day_shows_no_change_in_any_shape_of_2026(shape: str, link_place: str, workspace: Workspace) -> None:
    workspace.sandbox.behaviour.embedded = shape  # type: ignore[assignment]
    workspace.sandbox.behaviour.link_place = link_place  # type: ignore[assignment]
    for number in range(3):
        workspace.meet(f"meeting {number}", talk())
    assert "recording" in changes(workspace)
    report = workspace.capture()
    assert report.downloaded == 3
    assert changes(workspace) == []


def test_a_finished_bot_that_alone_shows_a_recording_of_four_fields_is_a_change_once(workspace: Workspace) -> None:
    workspace.sandbox.behaviour.embedded = "four_fields"
    workspace.meet("standup", talk())
    workspace.world.change_recording(an_id("standup"), listed=False)
    assert changes(workspace) == ["recording"]
    workspace.capture()
    assert changes(workspace) == []


@pytest.mark.parametrize(
    "older",
    [
        {"code": "done", "sub_code": None, "updated_at": "2026-03-02T09:00:01Z"},
        {"code": "failed", "sub_code": None, "updated_at": "2026-03-02T08:00:00Z"},
        {"code": "archiving", "sub_code": None, "updated_at": None},
        {"code": None, "sub_code": None, "updated_at": LATER.isoformat()},
    ],
)
def test_an_embedded_copy_that_is_not_newer_is_not_a_change(older: dict[str, Any], workspace: Workspace) -> None:
    workspace.meet("standup", talk())
    workspace.capture()
    embed(workspace, status=older)
    assert changes(workspace) == []


def test_an_embedded_copy_that_is_newer_is_a_change_until_the_day_is_synced(workspace: Workspace) -> None:
    workspace.meet("standup", talk())
    workspace.capture()
    embed(workspace, status=STATUS)
    assert changes(workspace) == ["recording"]
    workspace.capture()
    assert changes(workspace) == []


def test_a_shortcut_that_is_newer_than_the_list_is_a_change_until_the_day_is_synced(workspace: Workspace) -> None:
    [mp3] = workspace.meet("standup", talk())
    workspace.world.change_recording(an_id("standup"), shortcut_id=mp3.id)
    workspace.capture()
    edit_rows(workspace, "audio_mixed", status={**STATUS, "updated_at": NINE.isoformat()})
    assert changes(workspace) == []
    workspace.world.replace_audio(mp3.id, talk(1))
    assert set(changes(workspace)) == {"mp3"}
    workspace.capture()
    assert changes(workspace) == []


@pytest.mark.parametrize("kind", ["recording", "audio_mixed"])
@pytest.mark.parametrize("status", [None, _CURRENT, {"code": "done"}, {"updated_at": LATER.isoformat()}])
def test_a_status_that_a_list_leaves_out_is_not_a_change(kind: str, status: object, workspace: Workspace) -> None:
    workspace.meet("standup", talk())
    workspace.capture()
    edit_rows(workspace, kind, status=status)
    assert changes(workspace) == []
    workspace.capture()
    assert changes(workspace) == []


def test_a_list_that_shows_a_newer_status_is_a_change(workspace: Workspace) -> None:
    workspace.meet("standup", talk())
    workspace.capture()
    edit_rows(workspace, "recording", status=STATUS)
    assert changes(workspace) == ["recording"]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_an_object_at_an_end_of_the_calendar_is_compared_with_the_days_that_exist(
    moment: str, workspace: Workspace
) -> None:
    bot = {"id": an_id("bot"), "join_at": moment, "status_changes": [{"code": "done", "created_at": moment}]}
    audio = {"id": an_id("mp3"), "created_at": moment, "recording": {"id": an_id("standup")}, "status": STATUS}
    records = [read_record(Bot, bot), read_record(AudioMixed, audio)]
    found = list(ArchiveState(workspace.archive).changes_in(record for record in records if record))
    assert [change.fact.split()[0] for change in found] == ["bot"]
    assert ArchiveState(workspace.archive).shows(found[0].awaited) is False
