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
_ENDED = frozenset({dg.DagsterRunStatus.CANCELING, dg.DagsterRunStatus.CANCELED, dg.DagsterRunStatus.FAILURE})


@contextlib.contextmanager
def interrupted_when_ended(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """Interrupt this process within a minute after Dagster has ended the run; what was completed is kept.

    Dagster turns the interrupt into the end of the step. Other threads than the main one get no interrupts.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    is_over = threading.Event()
    watch = threading.Thread(target=_watch, args=(instance, run_id, is_over), name="run-watch", daemon=True)
    watch.start()
    try:
        yield
    finally:
        is_over.set()
        watch.join(timeout=_EVERY_SECONDS)


def _watch(instance: dg.DagsterInstance, run_id: str, is_over: threading.Event) -> None:
    while not is_over.wait(_EVERY_SECONDS):
        if _is_ended(instance, run_id):
            _log.warning("Dagster has ended run %s: it stops here, and the next run of its day continues", run_id)
            os.kill(os.getpid(), signal.SIGINT)
            return


def _is_ended(instance: dg.DagsterInstance, run_id: str) -> bool:
    try:
        run = instance.get_run_by_id(run_id)
    except Exception as error:  # a storage that does not answer now may answer at the next look
        _log.debug("cannot read the status of run %s (%s)", run_id, type(error).__name__)
        return False
    return run is not None and run.status in _ENDED
