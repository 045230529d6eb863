"""Local files that are private, appear whole, and are not left behind by a process that was killed."""

import contextlib
import errno
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

PRIVATE_FILE = 0o600
_PRIVATE_FOLDER = 0o700
_GROUP_FILE = 0o640
_GROUP_FOLDER = 0o750


def private_folder(folder: Path) -> None:
    """Create `folder`, and those above it that are missing, for this user only.

    Others may create and remove the same folders meanwhile. Raises NotADirectoryError where a file has the name.
    """
    while not folder.is_dir():
        private_folder(folder.parent)
        try:
            folder.mkdir(mode=_PRIVATE_FOLDER)
        except FileExistsError:
            _check_no_file(folder)
        except FileNotFoundError:  # the one above was removed just now
            continue


def _check_no_file(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):  # made by somebody else, and removed again
        if not stat.S_ISDIR(path.lstat().st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))


@contextlib.contextmanager
def locked_temp_file(folder: Path, prefix: str, suffix: str = "") -> Iterator[Path]:
    """Give the path of an empty private file, removed at the end unless it was moved away.

    A lock on it tells `sweep` that it is in use.
    """
    path, handle = _create_locked(folder, prefix, suffix)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


@contextlib.contextmanager
def locked_temp_folder(folder: Path, prefix: str) -> Iterator[Path]:
    """Give the path of an empty private folder, removed at the end with what is left in it.

    The lock is on the folder: files in it may be written anew and renamed, and are in use all the same.
    """
    path, handle = _create_locked_folder(folder, prefix)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(handle)


@contextlib.contextmanager
def exclusive_file_lock(path: Path) -> Iterator[None]:
    """Be the only process that holds `path`, a file for that purpose alone, and remove it at the end.

    The hold ends with the process. Raises FileNotFoundError where the folder is not there.
    """
    handle = _open_exclusive(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # while held: whoever waits notices, and makes a new one
        os.close(handle)


def sweep(folder: Path, prefix: str) -> None:
    """Remove the held files and folders that processes left behind which are no more."""
    for path in [path for path in folder.iterdir() if path.name.startswith(prefix)]:
        with contextlib.suppress(OSError):
            _remove_unless_locked(path)


def abandoned(folder: Path, prefix: str) -> list[Path]:
    """Return the held files and folders whose processes are no more, without touching them."""
    there = sorted(path for path in folder.glob("*") if path.name.startswith(prefix))
    return [path for path in there if not _is_locked(path)]


def _is_locked(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:  # gone just now: it was
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _remove_unless_locked(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    finally:
        os.close(handle)


def sizes_below(folder: Path) -> dict[str, int]:
    """Return the size of every file below `folder`, in bytes; raise OSError for a folder that cannot be read."""
    sizes: dict[str, int] = {}
    for where, _, names in os.walk(folder, onerror=_unless_missing):
        for path in (Path(where, name) for name in names):
            with contextlib.suppress(FileNotFoundError):
                sizes[str(path)] = path.stat().st_size
    return sizes


def _unless_missing(fault: OSError) -> None:
    if not isinstance(fault, FileNotFoundError):
        raise fault


def publish_file(local: Path, target: Path, group_below: Path | None = None) -> None:
    """Rename `local` to `target`, durably; across file systems through a hidden copy beside the target.

    From the folder `group_below` on, its group may read; without one, nobody but this user.
    """
    with local.open("rb+") as written:
        os.fsync(written.fileno())
    local.chmod(_GROUP_FILE if group_below else PRIVATE_FILE)
    private_folder(target.parent)
    if group_below:
        _let_group_in(target.parent, group_below)
    try:
        local.replace(target)
    except OSError as fault:
        if fault.errno != errno.EXDEV:
            raise
        _copy_whole(local, target)
        local.unlink()
    _sync_folder(target.parent)


def _let_group_in(folder: Path, top: Path) -> None:
    for each in (folder, *folder.parents):
        if each.is_relative_to(top) and stat.S_IMODE(each.stat().st_mode) == _PRIVATE_FOLDER:
            each.chmod(_GROUP_FOLDER)


def _create_locked(folder: Path, prefix: str, suffix: str) -> tuple[Path, int]:
    while True:
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=suffix, dir=folder)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if (path := Path(name)).exists():
            return path, handle
        os.close(handle)  # swept in the moment before it was held


def _create_locked_folder(folder: Path, prefix: str) -> tuple[Path, int]:
    while True:
        path = Path(tempfile.mkdtemp(prefix=prefix, dir=folder))
        try:
            handle = os.open(path, os.O_RDONLY)
        except FileNotFoundError:  # swept in the moment before it was held
            continue
        fcntl.flock(handle, fcntl.LOCK_EX)
        if path.exists():
            return path, handle
        os.close(handle)


def _open_exclusive(path: Path) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE_FILE)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except BaseException:  # a full table of locks, or Ctrl-C while it waits
            os.close(handle)
            raise
        if os.fstat(handle).st_nlink:
            return handle
        os.close(handle)  # removed by who held it before


def _copy_whole(local: Path, target: Path) -> None:
    prefix = f".{target.name}."
    sweep(target.parent, prefix)
    with locked_temp_file(target.parent, prefix) as hidden:
        shutil.copyfile(local, hidden)
        shutil.copymode(local, hidden)
        with hidden.open("rb+") as copied:
            os.fsync(copied.fileno())
        hidden.replace(target)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
