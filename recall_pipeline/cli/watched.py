"""The session of runs that a person watches: nothing is tried again behind their back."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg

from recall_pipeline.assets.session import Session


@dataclass
class WatchedSession(Session):
    """Ends a step at a fault that nobody foresaw, which Dagster would try again for minutes."""

    is_interactive: bool = True

    @contextlib.contextmanager
    def failing_clearly(self) -> Iterator[None]:
        """Turn every error into Dagster's Failure; the description is left to those that were foreseen."""
        try:
            with super().failing_clearly():
                yield
        except dg.Failure:
            raise
        except Exception as unforeseen:
            raise dg.Failure(allow_retries=False) from unforeseen
