"""Rate limit: a request budget per minute and endpoint, shared by all processes of one host and Dagster home.

Recall's limits are sliding windows per workspace and endpoint (docs/design/recall-api.md, section 2). This budget is
a sliding window per API host and endpoint, so workspaces on one host share it. The time of each request is stored in
a small SQLite file, `recall_budget.sqlite` of the Dagster home. A request waits until the window has capacity.
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
        """Return as soon as one more request to `endpoint` may be sent."""


class RequestBudget:
    """A budget that allows at most `per_minute` requests in any 60 seconds.

    `clock` is the system's monotonic clock, because all processes share it and it is never adjusted. Raises
    SettingsError if the file is not writable.
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
        """Wait until one more request to `endpoint` fits the budget, and record it."""
        while (wait_seconds := self._try_take(endpoint, per_minute)) > 0:
            await self._sleep(wait_seconds)

    def try_take(self, endpoint: str, per_minute: int) -> bool:
        """Record one more request to `endpoint` if it fits the budget now; return whether it did."""
        return self._try_take(endpoint, per_minute) == 0

    def _try_take(self, endpoint: str, per_minute: int) -> float:
        """Record a request and return 0, or return the seconds until the next attempt can succeed."""
        with self._transaction() as connection:
            now = self._clock()  # read inside the transaction: else times of other processes could be later
            # A time after `now` was recorded before the last boot.
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
        """Open an exclusive transaction; raise SettingsError if the file is not usable."""
        try:
            self._ledger.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not self._ledger.exists():
                self._ledger.touch(mode=0o600)
            with contextlib.closing(
                sqlite3.connect(self._ledger, timeout=_LOCK_TIMEOUT_SECONDS, isolation_level=None)
            ) as connection:
                connection.execute("PRAGMA synchronous = OFF")  # a record lost in a crash costs little of the margin
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
        except (OSError, sqlite3.Error) as error:
            raise SettingsError(
                f"cannot store the request budget in {self._ledger} ({error}): "
                "set DAGSTER_HOME to a writable folder, or remove the file"
            ) from None


class BudgetShare:
    """A limited share of the budget for one short task, which never waits.

    Raises RecallThrottled if its `requests` to an endpoint are used, or if the budget has no capacity now.
    """

    def __init__(self, budget: RequestBudget, requests: int) -> None:
        self._budget = budget
        self._left: dict[str, int] = {}
        self._requests = requests

    async def take(self, endpoint: str, per_minute: int) -> None:
        """Record a request to `endpoint`, or raise RecallThrottled immediately."""
        left = self._left.get(endpoint, self._requests)
        if left == 0 or not self._budget.try_take(endpoint, per_minute):
            raise RecallThrottled(f"{endpoint}: the request budget of this task is used: the next run continues")
        self._left[endpoint] = left - 1
