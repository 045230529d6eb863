"""Request limits: a sliding window for each endpoint (docs/design/recall-api.md, section 2)."""

import math
from collections import defaultdict, deque


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
