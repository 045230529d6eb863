"""The times of the latest requests in a small SQLite file, shared by all processes. A damaged file is replaced.

The file is a cache of the last minute. Each process remembers its own requests of that minute, and records them again
in a new file, so that the loss of the file costs nothing and the limit still holds for the processes that are alive.
"""

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

from recall_pipeline.errors import SettingsError

_LOCK_TIMEOUT_SECONDS = 30.0
_NOT_DAMAGE = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM}
_OUT_OF_HANDLES = (errno.EMFILE, errno.ENFILE)
_SIDE_FILES = ("", "-journal", "-wal", "-shm")
_SCHEMA = (
    "CREATE TABLE sent (endpoint TEXT NOT NULL, is_short INTEGER NOT NULL, at REAL NOT NULL)",
    "CREATE INDEX sent_by_endpoint ON sent (endpoint, at)",
)
_DAMAGED = "it is not this project's file"
T = TypeVar("T")


class SentRequest(NamedTuple):
    """One request; `at` is its time in seconds of the monotonic clock."""

    endpoint: str
    is_short: bool
    at: float


class RequestLedger:
    """The requests of all processes since a time. Raises SettingsError if the file cannot be stored."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._own: list[SentRequest] = []
        self._file_id: int | None = None

    def transaction(self, act: Callable[[sqlite3.Connection], T]) -> T:
        """Return the result of `act` in an exclusive transaction. A damaged file is set aside, and a new one created.

        `act` may run twice.
        """
        try:
            try:
                return self._attempt(act)
            except (OSError, sqlite3.Error) as error:
                if not _is_damage(error):
                    raise
            with self._exclusive():
                with contextlib.suppress(OSError, sqlite3.Error):
                    return self._attempt(act)  # another process has replaced the file meanwhile
                _set_aside(self._path)
            return self._attempt(act)
        except (OSError, sqlite3.Error) as error:
            raise _fault(self._path, error) from None

    def forget_before(self, connection: sqlite3.Connection, since: float, now: float) -> None:
        """Remove the requests up to `since`, and those after `now`, which are from before the last boot."""
        connection.execute("DELETE FROM sent WHERE at <= ? OR at > ?", (since, now))
        self._own = [sent for sent in self._own if since < sent.at <= now]

    def add(self, connection: sqlite3.Connection, sent: SentRequest) -> None:
        """Record a request of this process."""
        connection.execute("INSERT INTO sent VALUES (?, ?, ?)", sent)
        self._own.append(sent)

    def _attempt(self, act: Callable[[sqlite3.Connection], T]) -> T:
        own_before = list(self._own)
        try:
            with self._opened() as connection:
                return act(connection)
        except BaseException:
            self._own = own_before
            raise

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        _create_private(self._path)
        with contextlib.closing(
            sqlite3.connect(self._path, timeout=_LOCK_TIMEOUT_SECONDS, isolation_level=None)
        ) as connection:
            connection.execute("PRAGMA synchronous = OFF")  # a torn file is replaced
            connection.execute("BEGIN IMMEDIATE")
            self._check_schema(connection)
            yield connection
            connection.execute("COMMIT")

    def _check_schema(self, connection: sqlite3.Connection) -> None:
        """Create the table in an empty file, and record the own requests in a file that was not used before."""
        found = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master")}
        if not found:
            for statement in _SCHEMA:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {secrets.randbits(31)}")
        elif found != set(_SCHEMA):
            raise sqlite3.DatabaseError(_DAMAGED)
        (file_id,) = connection.execute("PRAGMA user_version").fetchone()
        if file_id != self._file_id:
            connection.executemany("INSERT INTO sent VALUES (?, ?, ?)", self._own if self._file_id is not None else ())
            self._file_id = file_id

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Let one process at a time replace the file; without locks, on some shares, they replace it at once."""
        with contextlib.ExitStack() as stack:
            try:
                lock = self._path.with_name(f"{self._path.name}.lock")
                handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                stack.callback(os.close, handle)
                fcntl.flock(handle, fcntl.LOCK_EX)
            except OSError as error:
                if error.errno in _OUT_OF_HANDLES:
                    raise
            yield


def _create_private(path: Path) -> None:
    """Create the file for this user only; raise OSError if something else than a file has its name."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        path.touch(mode=0o600)
    if not stat.S_ISREG(path.stat().st_mode):  # SQLite would wait for a pipe
        raise OSError(errno.EINVAL, _DAMAGED, str(path))


def _is_damage(error: Exception) -> bool:
    """Return whether a new file could help."""
    if isinstance(error, OSError):
        return error.errno not in _OUT_OF_HANDLES
    return getattr(error, "sqlite_errorcode", 0) & 0xFF not in _NOT_DAMAGE  # the low byte is the primary code


def _set_aside(path: Path) -> None:
    """Rename the file, and SQLite's files beside it, to names that end in `.damaged`, of which one is kept."""
    for name in (f"{path.name}{suffix}" for suffix in _SIDE_FILES):
        present, aside = path.with_name(name), path.with_name(f"{name}.damaged")
        if aside.is_dir() and not aside.is_symlink():
            shutil.rmtree(aside)
        with contextlib.suppress(FileNotFoundError):
            if present.is_dir() and not present.is_symlink():
                aside.unlink(missing_ok=True)
            present.rename(aside)


def _fault(path: Path, error: Exception) -> SettingsError:
    reason = (isinstance(error, OSError) and error.strerror) or str(error)
    if isinstance(error, OSError) and error.errno in _OUT_OF_HANDLES:
        return SettingsError(
            f"cannot store the request budget in {path} ({reason}): raise the limit of open files (`ulimit -n`)"
        )
    return SettingsError(f"cannot store the request budget in {path} ({reason}): set DAGSTER_HOME to a writable folder")
