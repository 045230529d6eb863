"""A storage that accepts one file and not another: each error is reported, other files are archived, none in part."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from recall_pipeline.download.partials import Unfinished
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import Archive
from recall_pipeline_tests.workspace import Workspace, talk
from recall_sandbox.content import body_of


def refuse(monkeypatch: pytest.MonkeyPatch, part_of_key: str, code: int) -> None:
    """Let the disk refuse what is published under some key."""
    move = Path.replace

    def replace(path: Path, target: Path) -> Path:
        if part_of_key in str(target):
            raise OSError(code, os.strerror(code))
        return move(path, target)

    monkeypatch.setattr(Path, "replace", replace)


@pytest.fixture
def storage_url(tmp_path: Path) -> str:
    """A folder: what a disk says is what is tried here."""
    return str(tmp_path / "data")


def test_a_file_that_does_not_fit_is_downloaded_by_a_later_sync(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    [large] = workspace.meet("large", talk())
    [small] = workspace.meet("small", talk(1))
    with monkeypatch.context() as patched:
        refuse(patched, f"{large.id}.mp3", errno.ENOSPC)
        captured = workspace.capture()
    rows = {row.audio_id: row for row in captured.rows}
    assert (rows[small.id].state, rows[large.id].state) == ("archived", None)
    assert "No space left on device. Free some space" in (rows[large.id].fetch_failure or "")
    assert captured.unfinished == Unfinished(1, len(body_of(talk())))
    again = workspace.capture()
    assert (again.downloaded, again.bytes_downloaded, again.unfinished) == (1, 0, Unfinished())
    assert workspace.row(large.id).state == "archived"


@pytest.mark.parametrize("code", [errno.EIO, errno.ETIMEDOUT])
def test_a_storage_that_fails_otherwise_ends_the_day_before_the_rest_is_fetched_in_vain(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    for number in range(3):
        workspace.meet(f"meeting {number}", talk(number))
    refuse(monkeypatch, ".mp3", code)
    with pytest.raises(StorageError) as raised:
        workspace.capture(concurrency=1)
    assert raised.value.retry_can_help
    assert len(workspace.media_requests()) < 3


def test_a_disk_that_may_not_be_written_ends_the_day_with_one_line(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.meet("one", talk())
    refuse(monkeypatch, ".mp3", errno.EROFS)
    with pytest.raises(StorageError, match=r"Read-only file system\. Mount it for writing") as raised:
        workspace.capture()
    assert "\n" not in str(raised.value)
    assert not raised.value.retry_can_help


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS])
def test_a_write_to_a_full_staging_folder_is_a_storage_error(archive: Archive, code: int) -> None:
    with pytest.raises(StorageError, match=rf"cannot write .*_spool: {os.strerror(code)}\. "), archive.staged_file():
        raise OSError(code, "in the words of some library")


@pytest.fixture(autouse=True)
def no_leftovers(archive: Archive) -> Iterator[None]:
    """Whatever happens, nothing lies under a name that is not final."""
    yield
    below = archive.local_path("")
    assert [path for path in below.rglob("*") if path.name.startswith((".", "scratch-"))] == []
