"""Ends a run that Dagster has ended: a worker that cannot be terminated from outside would go on with it.

Celery's solo pool answers no `revoke` while it runs a task. Then a run that exceeded its time, or that a user
terminated, is marked as ended and started again elsewhere, and its worker is busy until the old one is done.
"""

import contextlib
import logging
import os
import signal
import threading
from collections.abc import Iterator

import dagster as dg

_log = logging.getLogger(__name__)
_EVERY_SECONDS = 20.0
_AGAIN_AFTER_SECONDS = 2.0  # Dagster's own handler is in place until the run has ended
_ENDED = frozenset({dg.DagsterRunStatus.CANCELING, dg.DagsterRunStatus.CANCELED, dg.DagsterRunStatus.FAILURE})


@contextlib.contextmanager
def interrupted_when_ended(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """Interrupt this process within a minute after Dagster has ended the run; what was completed is kept.

    Dagster turns the interrupt into the end of the step. SIGTERM it handles in the same way, and keeps it from the
    worker, which would take another run: so the worker gets it again at the end. Other threads than the main one get
    no interrupts.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    is_over = threading.Event()
    watch = threading.Thread(target=_watch, args=(instance, run_id, is_over), name="run-watch", daemon=True)
    watch.start()
    try:
        with _sent_again(signal.SIGTERM):
            yield
    finally:
        is_over.set()
        watch.join(timeout=_EVERY_SECONDS)


@contextlib.contextmanager
def _sent_again(number: signal.Signals) -> Iterator[None]:
    """Send a signal again shortly after the block if it arrived within, when the handlers are those from before."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        arrived = b""
        with contextlib.suppress(BlockingIOError):
            arrived = os.read(reader, 1024)
        os.close(reader)
        os.close(writer)
        if number in arrived:
            again = threading.Timer(_AGAIN_AFTER_SECONDS, os.kill, (os.getpid(), number))
            again.daemon = True
            again.start()


def _watch(instance: dg.DagsterInstance, run_id: str, is_over: threading.Event) -> None:
    was_ended = False
    while not is_over.wait(_EVERY_SECONDS):
        is_ended = _is_ended(instance, run_id)
        if is_ended and was_ended:  # at two looks: a run that failed by itself is over before the second one
            _log.warning("Dagster has ended run %s: it stops here, and the next run of its day continues", run_id)
            os.kill(os.getpid(), signal.SIGINT)
            return
        was_ended = is_ended


def _is_ended(instance: dg.DagsterInstance, run_id: str) -> bool:
    try:
        run = instance.get_run_by_id(run_id)
    except Exception as error:  # a storage that does not answer now may answer at the next look
        _log.debug("cannot read the status of run %s (%s)", run_id, type(error).__name__)
        return False
    return run is not None and run.status in _ENDED
