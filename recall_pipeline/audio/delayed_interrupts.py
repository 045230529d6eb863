"""Delay Ctrl-C and SIGTERM while a process is started: Python's executor cannot be interrupted there.

Its process would run without the thread that ends it, and this process would wait for it for ever.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def delayed_interrupts() -> Iterator[None]:
    """Send stop signals that arrive in the block again at its end. Other threads than the main one get none."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []

    def remember(number: int, _: FrameType | None) -> None:
        arrived.append(number)

    handlers = {
        number: signal.signal(number, remember) for number in _STOP_SIGNALS if signal.getsignal(number) is not None
    }
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for late in arrived:
            signal.raise_signal(late)
