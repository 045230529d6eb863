"""Detect Ctrl-C and SIGTERM while Dagster runs a day.

Dagster delays signals while it writes events, drops those that arrive after the last step, and reports the others as
a failed run. A command has to stop instead of continuing with the next day.
"""

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator

_STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM}


def end_at_sigterm() -> None:
    """Treat SIGTERM as Ctrl-C. The first process of a container (PID 1) would ignore it otherwise."""
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.default_int_handler)


@contextlib.contextmanager
def detect_interrupts() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether a stop signal arrived since its last call, whichever handler took it."""
    if threading.current_thread() is not threading.main_thread():  # signals are delivered to the main thread only
        yield lambda: False
        return
    reading, writing = socket.socketpair()
    with reading, writing:
        reading.setblocking(False)
        writing.setblocking(False)
        before = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        try:
            yield lambda: not _STOP_SIGNALS.isdisjoint(_received(reading))
        finally:
            signal.set_wakeup_fd(before)


def _received(reading: socket.socket) -> bytes:
    try:
        return reading.recv(4096)
    except BlockingIOError:
        return b""
