"""Retries of API requests (docs/design/recall-api.md, section 2).

429 waits as long as `Retry-After` requests, plus jitter, until the deadline. 409, 5xx, malformed responses and
connection errors use exponential backoff for a few attempts. Only idempotent requests (GET, DELETE) are retried here;
creating a bot is not. Downloads have their own retries (`download`), and Dagster retries whole steps (`defs`).
"""

import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import stamina
from stamina.instrumentation import LoggingOnRetryHook, set_on_retry_hooks

from recall_pipeline.errors import RecallThrottled
from recall_pipeline.recall_api.responses import RetryableError

T = TypeVar("T")
_log = logging.getLogger("recall_pipeline.waits")  # the command line shows these messages
_LONG_WAIT_SECONDS = 10.0
# stamina prefers structlog, which would print to standard output and break `--json`.
set_on_retry_hooks([LoggingOnRetryHook])


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long a request is retried; times in seconds."""

    attempts: int = 7
    deadline_seconds: float = 900.0
    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 8.0


class WaitReporter:
    """Logs long waits that Recall.ai requests, once for all requests that wait at the same time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._reported_until = clock()

    def report(self, seconds: float, error: Exception) -> None:
        """Log a wait of over 10 seconds, unless a wait with about the same end was logged."""
        ends_at = self._clock() + seconds
        if seconds > _LONG_WAIT_SECONDS and ends_at > self._reported_until + _LONG_WAIT_SECONDS:
            self._reported_until = ends_at
            _log.warning("waiting %.0f s, as Recall.ai requests: %s", seconds, error)


async def send_with_retries(
    send: Callable[[], Awaitable[T]], retry_policy: RetryPolicy, waits: WaitReporter | None = None
) -> T:
    """Call `send` until it succeeds; raise the RecallError of the last attempt."""
    hook = RetryHook(retry_policy, waits=waits)
    attempts = stamina.retry_context(
        on=hook,
        attempts=None,
        timeout=retry_policy.deadline_seconds,
        wait_initial=retry_policy.first_wait_seconds,
        wait_max=retry_policy.longest_wait_seconds,
        wait_jitter=retry_policy.first_wait_seconds,
    )
    try:
        async for attempt in attempts:
            with attempt:
                return await send()
    except RetryableError as last:
        raise last.error from None
    raise AssertionError("stamina returns a result or raises an error")


class RetryHook:
    """Backoff hook for stamina: returns False to give up, True for stamina's backoff, or the seconds to wait."""

    def __init__(
        self, retry_policy: RetryPolicy, clock: Callable[[], float] = time.monotonic, waits: WaitReporter | None = None
    ) -> None:
        self._retry_policy = retry_policy
        self._waits = waits or WaitReporter()
        self._clock = clock
        self._failures = 0
        self._started = clock()

    def __call__(self, error: Exception) -> bool | float:
        """Return the decision about one error."""
        if not isinstance(error, RetryableError):
            return False
        throttled = isinstance(error.error, RecallThrottled)
        self._failures += not throttled
        if self._failures >= self._retry_policy.attempts:
            return False
        if error.after_seconds is None:
            return True
        wait_seconds = error.after_seconds + random.uniform(0.1, 1.0)  # noqa: S311 -- jitter, not cryptography
        left_seconds = self._retry_policy.deadline_seconds - (self._clock() - self._started)
        if wait_seconds >= left_seconds:
            return False
        self._waits.report(wait_seconds, error.error)
        return wait_seconds
