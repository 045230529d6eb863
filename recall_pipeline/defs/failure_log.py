"""Log failures of single recordings: a bounded number of events per step, then a count."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

MOST_EVENTS = 50


class _Log(Protocol):
    def warning(self, msg: object, /, *args: object) -> None: ...


@dataclass(slots=True)
class FailureLog:
    """Writes the first 50 warnings of a step to its log, and counts the rest."""

    log: _Log
    count: int = 0

    def report(self, message: str, *values: object) -> None:
        """Log a warning, or count it; `values` are formatted into `message` as the module `logging` does."""
        self.count += 1
        if self.count <= MOST_EVENTS:
            self.log.warning(message, *values)


@contextmanager
def failure_log(log: _Log, table: str) -> Iterator[FailureLog]:
    """Give the failure log of a step; at its end the number of warnings that were not logged is. `table` has all."""
    failures = FailureLog(log)
    try:
        yield failures
    finally:
        if (more := failures.count - MOST_EVENTS) > 0:
            log.warning("and %d more failures, which are not logged one by one: see the table %s", more, table)
