"""Rate limit: a request budget per minute and endpoint, shared by all processes of one host and Dagster home.

With RECALL_COORDINATION_URL all hosts share it (shared_budget.py).

Recall's limits are sliding windows per workspace and endpoint (docs/design/recall-api.md, section 2). This budget is
a sliding window per workspace and endpoint, where a workspace is an API host and a key, of which a digest is stored.
The time of each request is stored in `recall_budget.sqlite` of the Dagster home (request_ledger.py). A request waits
until the window has capacity.

There are two classes of requests: those of walks (a sync, which waits) and those of short looks (a tick of a sensor,
which does not). Each leaves a fifth of every minute to the other, so that neither can starve the other.
"""

import asyncio
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from math import ceil
from pathlib import Path
from typing import Protocol

from recall_pipeline.coordination import RequestLimits
from recall_pipeline.errors import RecallThrottled
from recall_pipeline.recall_api.request_ledger import RequestLedger, SentRequest

WINDOW_SECONDS = 60.0
_NEWEST = "SELECT at FROM sent WHERE endpoint = ? AND is_short IN (?, ?) ORDER BY at DESC LIMIT 1 OFFSET ?"


class Budget(Protocol):
    """Decides when a request may be sent."""

    async def take(self, endpoint: str, per_minute: int) -> None:
        """Return as soon as one more request to `endpoint` may be sent."""


def reserve_of(per_minute: int) -> int:
    """Return the requests per minute that each class leaves to the other: a fifth, rounded up, but never all."""
    return min(ceil(per_minute / 5), per_minute - 1)


def limits_of(per_minute: int) -> RequestLimits:
    """Return the limits of a window of `per_minute` requests."""
    return RequestLimits(per_minute, per_minute - reserve_of(per_minute))


class WindowBudget(ABC):
    """A budget that allows at most `per_minute` requests in any 60 seconds, whatever stores their times."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._sleep = sleep

    async def take(self, endpoint: str, per_minute: int) -> None:
        """Wait until one more request of a walk to `endpoint` fits the budget, and record it."""
        while (wait_seconds := await self._record_walk(endpoint, per_minute)) > 0:
            await self._sleep(wait_seconds)

    def try_take(self, endpoint: str, per_minute: int) -> bool:
        """Record one more request of a short look to `endpoint` if it fits the budget now; return whether it did."""
        return self._record(endpoint, limits_of(per_minute), is_short=True) == 0

    async def _record_walk(self, endpoint: str, per_minute: int) -> float:
        return self._record(endpoint, limits_of(per_minute), is_short=False)

    @abstractmethod
    def _record(self, endpoint: str, limits: RequestLimits, *, is_short: bool) -> float:
        """Record a request and return 0, or return the seconds until the next attempt can succeed."""


class RequestBudget(WindowBudget):
    """The budget of one host and Dagster home, in a file.

    `clock` is the system's monotonic clock, because all processes share it and it is never adjusted. Raises
    SettingsError if the file cannot be stored.
    """

    def __init__(
        self,
        ledger: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(sleep)
        self._ledger = RequestLedger(ledger)
        self._clock = clock
        self._ledger.transaction(lambda _: None)

    def _record(self, endpoint: str, limits: RequestLimits, *, is_short: bool) -> float:
        def take_if_free(connection: sqlite3.Connection) -> float:
            now = self._clock()  # read inside the transaction: else times of other processes could be later
            self._ledger.forget_before(connection, now - WINDOW_SECONDS, now)
            counted = ((limits.of_both, not is_short), (limits.of_class, is_short))
            blocking = [
                row[0]
                for limit, other_class in counted
                if (row := connection.execute(_NEWEST, (endpoint, is_short, other_class, limit - 1)).fetchone())
            ]
            if not blocking:
                self._ledger.add(connection, SentRequest(endpoint, is_short, now))
                return 0.0
            return max(float(max(blocking)) + WINDOW_SECONDS - now, 0.001)

        return self._ledger.transaction(take_if_free)


class BudgetShare:
    """A limited share of the budget for one short task, which never waits.

    Raises RecallThrottled if its `requests` to an endpoint are used, or if the budget has no capacity now.
    """

    def __init__(self, budget: WindowBudget, requests: int) -> None:
        self._budget = budget
        self._left: dict[str, int] = {}
        self._requests = requests

    async def take(self, endpoint: str, per_minute: int) -> None:
        """Record a request to `endpoint`, or raise RecallThrottled immediately."""
        left = self._left.get(endpoint, self._requests)
        if left == 0 or not self._budget.try_take(endpoint, per_minute):
            raise RecallThrottled(f"{endpoint}: the request budget of this task is used: the next run continues")
        self._left[endpoint] = left - 1
