"""Advisory locks (`flock`) on local files. The system releases a lock when its process ends.

The file of a lock contains which process holds it. A file system without locks, such as some shares, is replaced by
a lock file in this user's temporary folder, which keeps out the processes of this host.
"""

import contextlib
import fcntl
import hashlib
import logging
import os
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from recall_pipeline.days import utc_now
from recall_pipeline.storage.file_system import report_missing_locks, try_lock
from recall_pipeline.storage.permissions import PRIVATE_FILE, private_temporary_folder

_log = logging.getLogger("recall_pipeline.waits")  # the command line shows these messages
_MAX_HOLDER_BYTES = 500


@contextlib.contextmanager
def exclusive_file_lock(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path`, a file that only serves as the lock; remove the file at the end.

    Waits for the process that holds the lock, and logs which one that is. Raises FileNotFoundError if the folder does
    not exist.
    """
    with contextlib.ExitStack() as held:
        if not _hold(held, path):
            report_missing_locks(path.parent)
            _hold(held, private_temporary_folder() / f"{hashlib.sha256(bytes(path)).hexdigest()[:16]}.lock")
        yield


def _hold(held: contextlib.ExitStack, path: Path) -> bool:
    """Lock `path` until `held` closes; return False if its file system has no locks."""
    handle, is_locked = _open_locked(path)
    held.callback(os.close, handle)
    held.callback(path.unlink, missing_ok=True)  # before the release: a waiting process notices, and creates a new file
    return is_locked


def _open_locked(path: Path) -> tuple[int, bool]:
    """Return the handle of the file, and whether it is locked."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE_FILE)
        try:
            is_locked = _lock_or_wait(handle, path)
            if not _is_removed(handle, path):
                _write_holder(handle)
                return handle, is_locked
        except BaseException:  # the lock table is full, or Ctrl-C during the wait
            os.close(handle)
            raise
        os.close(handle)  # the process that held the lock removed this file


def _lock_or_wait(handle: int, path: Path) -> bool:
    try:
        return try_lock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        _log.warning("waiting for the lock %s: %s holds it", path, _holder(handle))
        return try_lock(handle, fcntl.LOCK_EX)


def _is_removed(handle: int, path: Path) -> bool:
    """Return whether the open file has lost its name; some shares count no links at all."""
    if os.fstat(handle).st_nlink:
        return False
    try:
        return not os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return True


def _write_holder(handle: int) -> None:
    """Describe this process in the lock file."""
    with contextlib.suppress(OSError):  # a full disk
        os.ftruncate(handle, 0)
        os.pwrite(handle, describe_process().encode("utf-8", "replace")[:_MAX_HOLDER_BYTES], 0)


def describe_process() -> str:
    """Return process, host, command and time, for a process that waits for a lock of this one."""
    return f"process {os.getpid()} on {socket.gethostname()} ({_command()}) since {utc_now():%Y-%m-%d %H:%M:%S} UTC"


def _command() -> str:
    """Return the program and its subcommand, without arguments that could be personal."""
    program = Path(sys.argv[0] if sys.argv else "")
    name = program.parent.name if program.name == "__main__.py" else program.name
    words = [word for word in sys.argv[1:3] if re.fullmatch(r"[a-z][a-z_-]*", word)]
    return " ".join([name or "python", *words])


def _holder(handle: int) -> str:
    with contextlib.suppress(OSError):
        text = os.pread(handle, _MAX_HOLDER_BYTES, 0).decode("utf-8", "replace")
        return "".join(filter(str.isprintable, text)) or "another process"
    return "another process"
