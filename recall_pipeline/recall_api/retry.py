"""When a request to the API is sent again: the one retry layer for it (docs/design/recall-api.md, section 2).

429 waits exactly as long as the server says, with jitter on top, until the deadline; 409, 5xx, torn answers and
connection faults back off exponentially for a few attempts. Only safe methods come here.
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
_log = logging.getLogger("recall_pipeline.waits")  # the command line shows what is said here
_WORTH_A_WORD_SECONDS = 10.0
# stamina's choice would be structlog, which prints on standard output, where `--json` has its line.
set_on_retry_hooks([LoggingOnRetryHook])


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to insist."""

    attempts: int = 7
    deadline_seconds: float = 900.0
    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 8.0


class WaitReporter:
    """Tells of each long wait that Recall.ai asks for, once for all the requests that it holds up."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told_until = clock()

    def tell(self, seconds: float, error: Exception) -> None:
        """Log a wait that is worth a word, unless one that ends about then has been told of."""
        ends_at = self._clock() + seconds
        if seconds > _WORTH_A_WORD_SECONDS and ends_at > self._told_until + _WORTH_A_WORD_SECONDS:
            self._told_until = ends_at
            _log.warning("waiting %.0f s, as Recall.ai asks: %s", seconds, error)


async def send_with_retries(
    send: Callable[[], Awaitable[T]], retry_policy: RetryPolicy, waits: WaitReporter | None = None
) -> T:
    """Call `send` until it answers; raise the typed error of its last try."""
    decide = RetryHook(retry_policy, waits=waits)
    attempts = stamina.retry_context(
        on=decide,
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
    raise AssertionError("stamina ends with a result or an error")


class RetryHook:
    """stamina's backoff hook: False to give up, True for its own backoff, or the seconds to wait."""

    def __init__(
        self, retry_policy: RetryPolicy, clock: Callable[[], float] = time.monotonic, waits: WaitReporter | None = None
    ) -> None:
        self._retry_policy = retry_policy
        self._waits = waits or WaitReporter()
        self._clock = clock
        self._faults = 0
        self._started = clock()

    def __call__(self, fault: Exception) -> bool | float:
        """Decide about one fault."""
        if not isinstance(fault, RetryableError):
            return False
        throttled = isinstance(fault.error, RecallThrottled)
        self._faults += not throttled
        if self._faults >= self._retry_policy.attempts:
            return False
        if fault.after_seconds is None:
            return True
        wait_seconds = fault.after_seconds + random.uniform(0.1, 1.0)  # noqa: S311 -- jitter, not cryptography
        left_seconds = self._retry_policy.deadline_seconds - (self._clock() - self._started)
        if wait_seconds >= left_seconds:
            return False
        self._waits.tell(wait_seconds, fault.error)
        return wait_seconds
