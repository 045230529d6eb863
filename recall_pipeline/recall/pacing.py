"""A request budget a minute per endpoint, shared by every process of this host and Dagster home.

Recall's limits are sliding windows per workspace and endpoint (recall_api.md section 2), so this is one too:
the moment of each request is noted in a small SQLite file, and a request waits until the window has room.
"""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from recall_pipeline.errors import SettingsError

WINDOW_SECONDS = 60.0
_LOCK_PATIENCE_SECONDS = 30.0
_CREATE = "CREATE TABLE IF NOT EXISTS request (endpoint TEXT NOT NULL, at REAL NOT NULL)"
_INDEX = "CREATE INDEX IF NOT EXISTS request_by_endpoint ON request (endpoint, at)"


class RequestBudget:
    """Grants requests so that no 60 seconds hold more than the budget.

    `clock` is the system's monotonic clock: all processes since boot share it, and nobody can set it.
    """

    def __init__(self, ledger: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._ledger = ledger
        self._clock = clock
        try:
            ledger.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._transaction() as connection:
                connection.execute(_CREATE)
                connection.execute(_INDEX)
        except (OSError, sqlite3.Error) as fault:
            raise SettingsError(
                f"cannot keep the request budget in {ledger.parent} ({fault}): "
                "make DAGSTER_HOME a folder that can be written"
            ) from None

    async def take(self, endpoint: str, per_minute: int) -> None:
        """Wait until one more request to `endpoint` fits, and note it."""
        while (wait_seconds := self._try_take(endpoint, per_minute)) > 0:  # noqa: ASYNC110 -- other processes take too
            await asyncio.sleep(wait_seconds)

    def _try_take(self, endpoint: str, per_minute: int) -> float:
        """Note a request and return 0, or return the seconds until there is room."""
        now = self._clock()
        with self._transaction() as connection:
            # A moment ahead of the clock was noted before the last boot.
            connection.execute("DELETE FROM request WHERE at <= ? OR at > ?", (now - WINDOW_SECONDS, now))
            oldest = connection.execute(
                "SELECT at FROM request WHERE endpoint = ? ORDER BY at DESC LIMIT 1 OFFSET ?",
                (endpoint, per_minute - 1),
            ).fetchone()
            if oldest is None:
                connection.execute("INSERT INTO request VALUES (?, ?)", (endpoint, now))
                return 0.0
        return max(float(oldest[0]) + WINDOW_SECONDS - now, 0.001)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(
            sqlite3.connect(self._ledger, timeout=_LOCK_PATIENCE_SECONDS, isolation_level=None)
        ) as connection:
            connection.execute("PRAGMA synchronous = OFF")  # a lost note costs one request of the margin
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
