"""A request budget a minute per endpoint, shared by every process of this host and Dagster home.

Recall's limits are sliding windows per workspace and endpoint (docs/design/recall-api.md, section 2), so this is one
too: the moment of each request is noted in a small SQLite file, and a request waits until the window has room.
"""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Protocol

from recall_pipeline.errors import RecallThrottled, SettingsError

WINDOW_SECONDS = 60.0
_LOCK_TIMEOUT_SECONDS = 30.0
_CREATE = "CREATE TABLE IF NOT EXISTS request (endpoint TEXT NOT NULL, at REAL NOT NULL)"
_INDEX = "CREATE INDEX IF NOT EXISTS request_by_endpoint ON request (endpoint, at)"


class Budget(Protocol):
    """Decides when a request may be sent."""

    async def take(self, endpoint: str, per_minute: int) -> None:
        """Return when one more request to `endpoint` may be sent."""


class RequestBudget:
    """Grants requests so that no 60 seconds hold more than the budget.

    `clock` is the system's monotonic clock: all processes since boot share it, and nobody can set it.
    """

    def __init__(
        self,
        ledger: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._sleep = sleep
        with self._transaction() as connection:
            connection.execute(_CREATE)
            connection.execute(_INDEX)

    async def take(self, endpoint: str, per_minute: int) -> None:
        """Wait until one more request to `endpoint` fits, and note it."""
        while (wait_seconds := self._try_take(endpoint, per_minute)) > 0:
            await self._sleep(wait_seconds)

    def try_take(self, endpoint: str, per_minute: int) -> bool:
        """Note one more request to `endpoint` if it fits now, and say whether it does."""
        return self._try_take(endpoint, per_minute) == 0

    def _try_take(self, endpoint: str, per_minute: int) -> float:
        """Note a request and return 0, or return the seconds until there is room."""
        with self._transaction() as connection:
            now = self._clock()  # read while others are kept out, or theirs would seem to lie ahead
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
        """Hold the ledger; raise SettingsError when it cannot be kept."""
        try:
            self._ledger.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not self._ledger.exists():
                self._ledger.touch(mode=0o600)
            with contextlib.closing(
                sqlite3.connect(self._ledger, timeout=_LOCK_TIMEOUT_SECONDS, isolation_level=None)
            ) as connection:
                connection.execute("PRAGMA synchronous = OFF")  # a lost note costs one request of the margin
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
        except (OSError, sqlite3.Error) as fault:
            raise SettingsError(
                f"cannot keep the request budget in {self._ledger} ({fault}): "
                "make DAGSTER_HOME a folder that can be written, or remove the file"
            ) from None


class BudgetShare:
    """A bounded part of the budget for one short task: it never waits, and leaves the rest to others.

    Raises RecallThrottled when its `requests` to an endpoint are spent, or when others have used the minute up.
    """

    def __init__(self, budget: RequestBudget, requests: int) -> None:
        self._budget = budget
        self._left: dict[str, int] = {}
        self._requests = requests

    async def take(self, endpoint: str, per_minute: int) -> None:
        """Note a request to `endpoint`, or raise RecallThrottled at once."""
        left = self._left.get(endpoint, self._requests)
        if left == 0 or not self._budget.try_take(endpoint, per_minute):
            raise RecallThrottled(f"{endpoint}: this task's share of the request budget is used; it goes on later")
        self._left[endpoint] = left - 1
