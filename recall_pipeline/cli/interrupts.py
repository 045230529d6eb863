"""Ctrl-C while Dagster runs a day.

Dagster holds signals back while it writes its events, forgets those that come after the last step, and takes the
others for a failure of the run. A command has to end instead of going on with the next day.
"""

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator

_ASKED_TO_STOP = {signal.SIGINT, signal.SIGTERM}


@contextlib.contextmanager
def noticing_interrupts() -> Iterator[Callable[[], bool]]:
    """Give a function that says whether a signal to stop came since, whoever handled it."""
    if threading.current_thread() is not threading.main_thread():  # signals come to the main thread only
        yield lambda: False
        return
    reading, writing = socket.socketpair()
    with reading, writing:
        reading.setblocking(False)
        writing.setblocking(False)
        before = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        try:
            yield lambda: not _ASKED_TO_STOP.isdisjoint(_received(reading))
        finally:
            signal.set_wakeup_fd(before)


def _received(reading: socket.socket) -> bytes:
    try:
        return reading.recv(4096)
    except BlockingIOError:
        return b""
