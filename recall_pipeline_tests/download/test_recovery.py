"""What a killed sync had published is not lost when Recall deletes it before the next one."""

import errno
from collections.abc import Callable

import pytest

from recall_pipeline.download import MixedAudioRow, one_download
from recall_pipeline.errors import TransferError
from recall_pipeline.storage import Archive, Layout
from recall_pipeline.storage.error_messages import storage_error
from recall_pipeline_tests.storages import FOLDER_AND_BUCKET
from recall_pipeline_tests.workspace import DAY, Workspace, talk
from recall_sandbox import Rule
from recall_sandbox.content import body_of
from recall_sandbox.effects import unavailable
from recall_sandbox.records import Artifact

Delete = Callable[[Workspace, Artifact], None]


@pytest.fixture(params=FOLDER_AND_BUCKET)
def storage_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def killed(*_: object) -> MixedAudioRow:
    raise KeyboardInterrupt


@pytest.fixture
def orphan(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Artifact:
    """An MP3 whose sync was killed between publishing it and writing its row."""
    [mp3] = workspace.meet("one", talk())
    with monkeypatch.context() as patch:
        patch.setattr(one_download, "_with_check", killed)
        with pytest.raises(KeyboardInterrupt):
            workspace.capture()
    assert workspace.content(Layout.source(DAY, mp3.recording_id, mp3.id)) == body_of(talk())
    assert workspace.row(mp3.id).state is None
    return mp3


def delete_mp3(workspace: Workspace, mp3: Artifact) -> None:
    workspace.world.delete_artifact(mp3.id, "gone")


def delete_recording(workspace: Workspace, mp3: Artifact) -> None:
    workspace.world.delete_recording(mp3.recording_id)


def withdraw_link(workspace: Workspace, mp3: Artifact) -> None:
    workspace.world.change_artifact(mp3.id, content=None)


@pytest.mark.parametrize("delete", [delete_mp3, delete_recording])
def test_it_is_taken_up_and_stays_ready(workspace: Workspace, orphan: Artifact, delete: Delete) -> None:
    delete(workspace, orphan)
    workspace.sandbox.access_log.clear()
    [row] = workspace.sync().rows
    assert (row.outcome, row.upstream_status) == ("ready", "deleted")
    assert workspace.content(workspace.row(orphan.id).source_key) == body_of(talk())
    assert workspace.media_requests() == []


def test_it_is_taken_up_where_recall_offers_no_link_any_more(workspace: Workspace, orphan: Artifact) -> None:
    withdraw_link(workspace, orphan)
    [row] = workspace.sync().rows
    assert (row.outcome, row.upstream_status) == ("ready", "done")


def test_what_is_still_served_is_fetched_and_compared(workspace: Workspace, orphan: Artifact) -> None:
    captured = workspace.capture()
    assert (captured.downloaded, captured.rows[0].state) == (1, "archived")


def test_bytes_that_are_no_whole_sound_are_not_taken_up(workspace: Workspace, orphan: Artifact) -> None:
    with workspace.archive.staged_file() as damaged:
        damaged.write_bytes(body_of(talk())[:100])
        workspace.archive.publish(damaged, Layout.source(DAY, orphan.recording_id, orphan.id))
    delete_mp3(workspace, orphan)
    [row] = workspace.sync().rows
    assert row.outcome == "deleted"


def test_where_the_decoder_dies_the_next_sync_looks_again(
    workspace: Workspace, orphan: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: object) -> None:
        raise TransferError("the process that decodes it was killed; is there memory enough?")

    delete_mp3(workspace, orphan)
    with monkeypatch.context() as patch:
        patch.setattr(one_download, "find_published", dies)
        [row] = workspace.sync().rows
    assert row.outcome == "download_failed"
    assert "was killed" in (row.outcome_reason or "")
    [row] = workspace.sync().rows
    assert (row.outcome, row.upstream_status) == ("ready", "deleted")


def test_a_full_spool_fails_only_the_mp3_that_does_not_fit(
    workspace: Workspace, orphan: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise storage_error("write", "the spool", OSError(errno.ENOSPC, "No space left on device"))

    delete_mp3(workspace, orphan)
    [other] = workspace.meet("two", talk(2))
    with monkeypatch.context() as patch:
        patch.setattr(one_download, "find_published", full)
        workspace.capture()
    assert workspace.row(other.id).state == "archived"
    assert "No space left" in (workspace.row(orphan.id).fetch_failure or "")


def test_what_could_not_be_fetched_is_looked_for_once(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    [mp3] = workspace.meet("one", talk())
    workspace.sandbox.faults.add(Rule(unavailable(), origin="media"))
    workspace.capture()
    assert workspace.row(mp3.id).fetch_failure
    delete_mp3(workspace, mp3)
    looked_for: list[str] = []
    look = Archive.exists

    def watched(archive: Archive, key: str) -> bool:
        looked_for.append(key)
        return look(archive, key)

    monkeypatch.setattr(Archive, "exists", watched)
    for _ in range(2):
        workspace.capture()
    assert looked_for == [Layout.source(DAY, mp3.recording_id, mp3.id)]
