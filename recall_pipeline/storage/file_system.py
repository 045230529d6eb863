"""What file systems cannot do. Shares (SMB, FUSE, NFS) refuse some calls that a local disk allows.

A refused call is not an error where its effect is not required: permissions, and durability of a folder's entries.
"""

import contextlib
import errno
import fcntl
import logging
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

_log = logging.getLogger("recall_pipeline.waits")  # the command line shows these messages
_UNSUPPORTED = frozenset(
    {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENOTTY, errno.EPERM, errno.EACCES, errno.EBADF}
)
_NO_LOCKS = (_UNSUPPORTED | {errno.ENOLCK}) - {errno.EACCES}  # EACCES: some shares mean that it is locked
_PRIVATE_MODE = 0o600


@contextlib.contextmanager
def where_supported() -> Iterator[None]:
    """Ignore an error that states that the file system does not support a call."""
    try:
        yield
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise


def set_mode(path: Path, mode: int) -> None:
    """Set the permissions of a file or folder where the file system has permissions."""
    with where_supported():
        path.chmod(mode)


def sync_file(handle: int) -> None:
    """Write a file's content to the disk. Raises OSError if the disk fails."""
    with where_supported():
        os.fsync(handle)


def sync_folder(folder: Path) -> None:
    """Write a folder's entries to the disk, where the file system supports it."""
    with where_supported():
        _sync_strictly(folder)


def try_lock(handle: int, operation: int) -> bool:
    """Lock an open file; return False if the file system has no locks. Raises BlockingIOError with LOCK_NB."""
    try:
        fcntl.flock(handle, operation)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return False
    return True


@cache
def report_missing_locks(folder: Path) -> None:
    """Log once per folder that its file system has no locks."""
    _log.warning(
        "%s has no file locks: processes of other hosts are not kept out; set RECALL_SPOOL_DIR to a local disk", folder
    )


def weaknesses_of(folder: Path) -> list[str]:
    """Try what the archive uses on the file system of `folder`; return one phrase for each call that it refuses."""
    handle, name = tempfile.mkstemp(prefix=".doctor-", dir=folder)
    path = Path(name)
    try:
        tries = {
            "no file locks, so other hosts are not kept out": lambda: fcntl.flock(handle, fcntl.LOCK_EX),
            "no permissions, so the share decides who can read": lambda: _check_mode(path),
            "folders are not synced, so a power failure may lose the newest files": lambda: _sync_strictly(folder),
        }
        return [phrase for phrase, attempt in tries.items() if _fails(attempt)]
    finally:
        os.close(handle)
        path.unlink(missing_ok=True)


def _fails(attempt: Callable[[], None]) -> bool:
    try:
        attempt()
    except OSError:
        return True
    return False


def _check_mode(path: Path) -> None:
    path.chmod(_PRIVATE_MODE)
    if stat.S_IMODE(path.stat().st_mode) != _PRIVATE_MODE:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP), str(path))


def _sync_strictly(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
