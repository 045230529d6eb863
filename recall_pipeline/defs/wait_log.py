"""Write to the log of a run what it waits for: a lock, or a pause that Recall.ai requests."""

import contextlib
import logging
from collections.abc import Iterator

import dagster as dg

_WAITS = logging.getLogger("recall_pipeline.waits")


class _RunLogHandler(logging.Handler):
    """Passes each message on to the log of a run."""

    def __init__(self, log: dg.DagsterLogManager) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.log(record.levelno, record.getMessage())


@contextlib.contextmanager
def waits_logged_by(log: dg.DagsterLogManager | None) -> Iterator[None]:
    """Log waits in the log of a run as well, until the block ends; with None, which no run has, only as before."""
    if log is None:
        yield
        return
    handler = _RunLogHandler(log)
    _WAITS.addHandler(handler)
    try:
        yield
    finally:
        _WAITS.removeHandler(handler)
