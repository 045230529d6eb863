"""Request limits: a sliding window for each endpoint (docs/design/recall-api.md, section 2)."""

import math
from collections import defaultdict, deque


class SlidingWindow:
    """Counts what was let through; what was refused does not count."""

    def __init__(self) -> None:
        self._admitted: dict[str, deque[float]] = defaultdict(deque)

    def admit(self, endpoint: str, limit: int, window_seconds: float, now: float) -> int:
        """Return 0 and count the call, or return the whole seconds (>= 1) to wait before the next."""
        admitted = self._admitted[endpoint]
        while admitted and admitted[0] <= now - window_seconds:
            admitted.popleft()
        if len(admitted) < limit:
            admitted.append(now)
            return 0
        return max(1, math.ceil(admitted[0] + window_seconds - now))
