"""Minimum throughput of a download: within a window of a minute, and on average over all tries.

Exceeding a limit costs only time: received bytes stay in the partial file, and the next sync resumes it.
"""

from collections.abc import Callable

from recall_pipeline.errors import TransferError

_WINDOW_SECONDS = 60.0
_FEWEST_BYTES_PER_WINDOW = 64 * 1024
_GRACE_SECONDS = 600.0  # for links that expire, hosts that are busy, and the waits between two tries
_SLOWEST_BYTES_PER_SECOND = 4 * 1024  # speech as an MP3 of 32 kb/s, as fast as it was spoken

Clock = Callable[[], float]


class MinimumThroughput:
    """Limits one download over all its tries to 10 minutes plus one second per 4 KiB of `received_bytes`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._started_at = clock()
        self.received_bytes = 0
        self.begin_window()

    def begin_window(self) -> None:
        """Start a new window, as each try does."""
        self._window_started_at, self._window_bytes = self._clock(), 0

    @property
    def is_used_up(self) -> bool:
        """Whether the time allowed for the received bytes is used up."""
        allowed_seconds = _GRACE_SECONDS + self.received_bytes / _SLOWEST_BYTES_PER_SECOND
        return self._clock() - self._started_at > allowed_seconds

    def count(self, received_bytes: int) -> None:
        """Count received bytes; raise TransferError when the throughput is too low."""
        self.received_bytes += received_bytes
        self._window_bytes += received_bytes
        if self.is_used_up:
            minutes = (self._clock() - self._started_at) / 60
            message = f"received only {self.received_bytes} bytes in {minutes:.0f} minutes"
            raise TransferError(message, is_host_fault=True)
        if self._clock() - self._window_started_at > _WINDOW_SECONDS:
            if self._window_bytes < _FEWEST_BYTES_PER_WINDOW:
                message = f"received only {self._window_bytes} bytes in {_WINDOW_SECONDS:.0f} s"
                raise TransferError(message, is_host_fault=True)
            self.begin_window()
