"""Private temporary files and folders, each locked by its process, so that others can remove leftovers safely.

A **leftover** is a temporary file or folder that no process holds: its process was killed.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from recall_pipeline.storage.locks import is_locked, remove_if_unlocked


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
    """Yield the path of an empty private folder; at the end remove it with its content.

    The lock is on the folder, so that it also protects files in it that are replaced or renamed.
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
        with contextlib.suppress(OSError):
            remove_if_unlocked(path)


def leftovers(folder: Path, prefix: str) -> list[Path]:
    """Return the leftovers in `folder` whose names start with `prefix`, sorted. Read-only."""
    found = sorted(path for path in folder.glob("*") if path.name.startswith(prefix))
    return [path for path in found if not is_locked(path)]


def _create_file(folder: Path, prefix: str, suffix: str) -> tuple[Path, int]:
    while True:
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=suffix, dir=folder)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if (path := Path(name)).exists():
            return path, handle
        os.close(handle)  # another process removed it as a leftover before the lock


def _create_folder(folder: Path, prefix: str) -> tuple[Path, int]:
    while True:
        path = Path(tempfile.mkdtemp(prefix=prefix, dir=folder))
        try:
            handle = os.open(path, os.O_RDONLY)
        except FileNotFoundError:  # another process removed it as a leftover before the lock
            continue
        fcntl.flock(handle, fcntl.LOCK_EX)
        if path.exists():
            return path, handle
        os.close(handle)
