"""Advisory locks (`flock`) on local files and folders. The system releases a lock when its process ends."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from recall_pipeline.storage.permissions import PRIVATE_FILE


@contextlib.contextmanager
def exclusive_file_lock(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path`, a file that only serves as the lock; remove the file at the end.

    Waits for the process that holds the lock. Raises FileNotFoundError if the folder does not exist.
    """
    handle = _open_locked(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # before the release: a waiting process notices, and creates a new file
        os.close(handle)


def is_locked(path: Path) -> bool:
    """Return whether a process holds a lock on `path`; true if `path` was removed just now."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:  # its process was alive a moment ago
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def remove_if_unlocked(path: Path) -> None:
    """Remove a file or a folder; raise BlockingIOError if a process holds a lock on it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    finally:
        os.close(handle)


def _open_locked(path: Path) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE_FILE)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except BaseException:  # the lock table is full, or Ctrl-C during the wait
            os.close(handle)
            raise
        if os.fstat(handle).st_nlink:
            return handle
        os.close(handle)  # the process that held the lock removed this file
