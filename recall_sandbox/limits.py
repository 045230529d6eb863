"""Request limits: a sliding window for each endpoint (docs/design/recall-api.md, section 2)."""

import math
from collections import defaultdict, deque

from recall_sandbox.behaviour import Behaviour, Endpoint
from recall_sandbox.clock import Clock
from recall_sandbox.refusal import throttled


class Limits:
    """Rate limits: one sliding window for each endpoint."""

    def __init__(self, behaviour: Behaviour, clock: Clock) -> None:
        self._behaviour = behaviour
        self._clock = clock
        self._window = SlidingWindow()

    def check(self, endpoint: str, kind: Endpoint) -> None:
        """Count a request to an endpoint of this kind (list, object or create), or raise 429."""
        limit = self._behaviour.limit_of(kind)
        if limit is None:
            return
        wait_seconds = self._window.admit(endpoint, limit, self._behaviour.window_seconds, self._clock().timestamp())
        if wait_seconds:
            raise throttled(wait_seconds)


class SlidingWindow:
    """Counts admitted requests; refused requests do not count."""

    def __init__(self) -> None:
        self._admitted: dict[str, deque[float]] = defaultdict(deque)

    def admit(self, endpoint: str, limit: int, window_seconds: float, now: float) -> int:
        """Count the request and return 0, or return the seconds to wait (an integer of 1 or more)."""
        admitted = self._admitted[endpoint]
        while admitted and admitted[0] <= now - window_seconds:
            admitted.popleft()
        if len(admitted) < limit:
            admitted.append(now)
            return 0
        return max(1, math.ceil(admitted[0] + window_seconds - now))
