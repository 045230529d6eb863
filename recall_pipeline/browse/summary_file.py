"""The file with the summaries of an archive's days, in this user's temporary folder. It can be removed at any time."""

import contextlib
import hashlib
import os
import sqlite3
from datetime import date

from recall_pipeline.browse.day_summary import DaySummary
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import private_temporary_folder

_FORMAT = 2
_CREATE = "CREATE TABLE IF NOT EXISTS summaries (day TEXT PRIMARY KEY, version TEXT NOT NULL, summary TEXT NOT NULL)"


class SummaryFile:
    """Summaries by day, with the version of the table that each was made from. Without a place for it, it is empty.

    Its methods are called by one thread at a time.
    """

    def __init__(self, root: str) -> None:
        self._connection: sqlite3.Connection | None = None
        with contextlib.suppress(StorageError, OSError):
            name = hashlib.sha256(f"{root} {_FORMAT}".encode(errors="surrogateescape")).hexdigest()[:12]
            self._path = private_temporary_folder() / f"browse-{name}.sqlite3"
            with contextlib.suppress(sqlite3.Error):
                self._open()

    def read(self) -> dict[date, tuple[str, DaySummary]]:
        """Return version and summary of each day; a file that cannot be read is rebuilt."""
        if self._connection is None:
            return {}
        try:
            found = self._connection.execute("SELECT day, version, summary FROM summaries").fetchall()
            return {date.fromisoformat(day): (version, DaySummary.from_json(text)) for day, version, text in found}
        except (sqlite3.Error, ValueError, TypeError):
            self._start_anew()
            return {}

    def write(self, day: date, version: str, summary: DaySummary) -> None:
        """Replace the summary of a day. What cannot be written is made again later."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error), self._connection:
                row = (day.isoformat(), version, summary.to_json())
                self._connection.execute("INSERT OR REPLACE INTO summaries VALUES (?, ?, ?)", row)

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> None:
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600))
        self._connection = sqlite3.connect(self._path, timeout=1, check_same_thread=False)
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.execute(_CREATE)

    def _start_anew(self) -> None:
        self.close()
        with contextlib.suppress(OSError, sqlite3.Error):
            self._path.unlink(missing_ok=True)
            self._open()
