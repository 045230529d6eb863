"""Private temporary files and folders, each locked by its process, so that others can remove leftovers safely.

A **leftover** is a temporary file or folder of this host that no process holds: its process was killed. The name
contains host and process. Those of another host are left alone for a week, because a share may keep locks per host.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from recall_pipeline.storage.file_system import try_lock
from recall_pipeline.storage.permissions import PRIVATE_FILE

LOCK_NAME = ".lock"
_NO_PROCESS = 2**31 - 1  # 0 would be this process group
_ABANDONED_SECONDS = 7 * 86_400  # a run ends after hours


@contextlib.contextmanager
def locked_temp_file(folder: Path, prefix: str, suffix: str = "") -> Iterator[Path]:
    """Yield the path of an empty private file; at the end remove it unless it was moved away.

    The lock on it shows `remove_leftovers` that it is in use.
    """
    path, handle = _create_file(folder, prefix, suffix)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


@contextlib.contextmanager
def locked_temp_folder(folder: Path, prefix: str) -> Iterator[Path]:
    """Yield the path of a private folder that contains only its lock; at the end remove it with its content.

    The lock also protects files in it that are replaced or renamed. It is on a file, because NFS locks no folders.
    """
    path, handle = _create_folder(folder, prefix)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(handle)


def remove_leftovers(folder: Path, prefix: str) -> None:
    """Remove the leftovers in `folder` whose names start with `prefix`; skip those that cannot be removed."""
    for path in [path for path in folder.iterdir() if path.name.startswith(prefix)]:
        with contextlib.suppress(OSError), _unused(path, prefix) as is_unused:
            if is_unused and path.is_dir():
                shutil.rmtree(path)
            elif is_unused:
                path.unlink()


def leftovers(folder: Path, prefix: str) -> list[Path]:
    """Return the leftovers in `folder` whose names start with `prefix`, sorted. Read-only."""
    found = sorted(path for path in folder.glob("*") if path.name.startswith(prefix))
    return [path for path in found if _is_leftover(path, prefix)]


def _is_leftover(path: Path, prefix: str) -> bool:
    try:
        with _unused(path, prefix) as is_unused:
            return is_unused
    except OSError:  # its process was alive a moment ago, or it is another user's
        return False


@contextlib.contextmanager
def _unused(path: Path, prefix: str) -> Iterator[bool]:
    """Yield whether no process uses `path`, while its lock is held so that none begins to."""
    host, process = _owner(path, prefix)
    if host not in (None, _host()):
        yield time.time() - path.stat().st_mtime > _ABANDONED_SECONDS
        return
    lock = path / LOCK_NAME if path.is_dir() else path
    with contextlib.ExitStack() as opened:
        try:
            handle = os.open(lock, os.O_RDWR)
            opened.callback(os.close, handle)
            is_unused = try_lock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB) or not _is_running(process)
        except BlockingIOError:
            is_unused = False
        except FileNotFoundError:
            is_unused = path.exists() and not _is_running(process)
        yield is_unused


def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def _owned(prefix: str) -> str:
    return f"{prefix}{_host()}-{os.getpid()}-"


def _owner(path: Path, prefix: str) -> tuple[str | None, int]:
    """Return host and process in the name of a temporary file; (None, 0) if it has none."""
    found = re.match(r"([0-9a-f]{8})-(\d+)-", path.name.removeprefix(prefix))
    return (found[1], int(found[2])) if found else (None, 0)


def _is_running(process: int) -> bool:
    try:
        os.kill(process or _NO_PROCESS, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _create_file(folder: Path, prefix: str, suffix: str) -> tuple[Path, int]:
    while True:
        handle, name = tempfile.mkstemp(prefix=_owned(prefix), suffix=suffix, dir=folder)
        try_lock(handle, fcntl.LOCK_EX)
        if (path := Path(name)).exists():
            return path, handle
        os.close(handle)  # another process removed it as a leftover before the lock


def _create_folder(folder: Path, prefix: str) -> tuple[Path, int]:
    while True:
        path = Path(tempfile.mkdtemp(prefix=_owned(prefix), dir=folder))
        lock = path / LOCK_NAME
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        try_lock(handle, fcntl.LOCK_EX)
        if lock.exists():
            return path, handle
        os.close(handle)  # another process removed it as a leftover before the lock
