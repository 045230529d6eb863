"""Publish files on a local file system atomically and durably, and measure their sizes."""

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from recall_pipeline.storage.file_system import set_mode, sync_file, sync_folder
from recall_pipeline.storage.permissions import GROUP_FILE, PRIVATE_FILE, grant_group_read, private_folder
from recall_pipeline.storage.temp_files import locked_temp_file, remove_leftovers


def publish_file(local: Path, target: Path, group_below: Path | None = None) -> None:
    """Rename `local` to `target` durably; across file systems, through a hidden copy beside the target.

    With `group_below`, the group may read the file and its folders up to `group_below`; else only this user may.
    """
    _prepare(local, target, group_below)
    _move(local, target)
    sync_folder(target.parent)


def publish_new_file(local: Path, target: Path, group_below: Path | None = None) -> bool:
    """Publish as `publish_file` does unless `target` exists; return whether it was published."""
    _prepare(local, target, group_below)
    try:
        os.link(local, target)
    except FileExistsError:
        return False
    except OSError:  # another file system, or one without hard links
        if target.exists():
            return False
        _move(local, target)
    sync_folder(target.parent)
    return True


def _prepare(local: Path, target: Path, group_below: Path | None) -> None:
    with local.open("rb+") as written:
        sync_file(written.fileno())
    set_mode(local, GROUP_FILE if group_below else PRIVATE_FILE)
    private_folder(target.parent)
    if group_below:
        grant_group_read(target.parent, group_below)


def sizes_below(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield the path of every file below `folder` and its size in bytes; raise OSError if a folder is not readable."""
    for parent, _, names in os.walk(folder, onerror=_raise_unless_missing):
        for path in (Path(parent, name) for name in names):
            with contextlib.suppress(FileNotFoundError):
                yield str(path), _size_bytes(path)


def _size_bytes(path: Path) -> int:
    """Return the size of a file; of a link that leads in a circle it is its own. Raises OSError."""
    try:
        return path.stat().st_size
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return path.lstat().st_size


def _raise_unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _move(local: Path, target: Path) -> None:
    try:
        local.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(local, target)
        local.unlink()


def _copy(local: Path, target: Path) -> None:
    prefix = f".{target.name}."
    remove_leftovers(target.parent, prefix)
    with locked_temp_file(target.parent, prefix) as hidden:
        shutil.copyfile(local, hidden)
        set_mode(hidden, stat.S_IMODE(local.stat().st_mode))
        with hidden.open("rb+") as copied:
            sync_file(copied.fileno())
        hidden.replace(target)
