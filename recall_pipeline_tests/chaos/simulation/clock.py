"""One clock for the pipeline, the sandbox and Dagster, which only the script turns."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from unittest.mock import patch

import stamina
from dagster._core.test_utils import get_freezable_log_manager  # Dagster's own seam for its tests

from recall_pipeline.days import clock_replaced

_ATTEMPTS = 3


@dataclass
class TurnedClock:
    """The time of the simulation, in UTC."""

    now: datetime

    def __call__(self) -> datetime:
        """Return the time it shows."""
        return self.now

    def turn_to(self, moment: datetime) -> None:
        """Set the clock, forwards or backwards."""
        self.now = moment

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Let the pipeline and Dagster read this clock, and let retries turn it in place of waiting."""
        waiting = SimpleNamespace(time=self._seconds, sleep=self._sleep)
        with (
            clock_replaced(self),
            stamina.set_testing(True, attempts=_ATTEMPTS),
            patch("dagster._time._mockable_get_current_datetime", self),
            patch("dagster._time._mockable_get_current_timestamp", self._seconds),
            patch("dagster._core.log_manager.DagsterLogManager", get_freezable_log_manager()),  # type: ignore[no-untyped-call]
            patch("dagster._core.execution.plan.active.time", waiting),
        ):
            yield

    def _seconds(self) -> float:
        return self.now.timestamp()

    def _sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=max(seconds, 0.001))  # less than a microsecond would not turn it
