"""Local files that are private, appear whole, and are not left behind by a process that was killed."""

import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

PRIVATE_FILE = 0o600
_PRIVATE_FOLDER = 0o700


def private_folder(folder: Path) -> None:
    """Create `folder`, and those above it that are missing, for this user only."""
    if not folder.is_dir():
        private_folder(folder.parent)
        try:
            folder.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
        except FileExistsError:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from None


@contextlib.contextmanager
def held_file(folder: Path, prefix: str, suffix: str = "") -> Iterator[Path]:
    """Give the path of an empty private file, removed at the end unless it was moved away.

    A lock on it tells `sweep` that it is in use.
    """
    path, handle = _create_held(folder, prefix, suffix)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def sweep(folder: Path, prefix: str) -> None:
    """Remove the held files that processes left behind which are no more."""
    for path in [path for path in folder.iterdir() if path.name.startswith(prefix)]:
        with contextlib.suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def move_whole(local: Path, target: Path) -> None:
    """Rename `local` to `target`, durably; across file systems through a hidden copy beside the target."""
    with local.open("rb+") as written:
        os.fsync(written.fileno())
    local.chmod(PRIVATE_FILE)
    private_folder(target.parent)
    try:
        local.replace(target)
    except OSError as fault:
        if fault.errno != errno.EXDEV:
            raise
        _copy_whole(local, target)
        local.unlink()
    _sync_folder(target.parent)


def _create_held(folder: Path, prefix: str, suffix: str) -> tuple[Path, int]:
    while True:
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=suffix, dir=folder)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if (path := Path(name)).exists():
            return path, handle
        os.close(handle)  # swept in the moment before it was held


def _copy_whole(local: Path, target: Path) -> None:
    prefix = f".{target.name}."
    sweep(target.parent, prefix)
    with held_file(target.parent, prefix) as hidden:
        shutil.copyfile(local, hidden)
        with hidden.open("rb+") as copied:
            os.fsync(copied.fileno())
        hidden.replace(target)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
