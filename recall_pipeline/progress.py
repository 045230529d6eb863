"""Progress callbacks of long operations."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with the number of finished items and the total."""

StepProgress = Callable[[str, int, int], None]
"""Called with the name of the step, the number of finished items and the total."""


def no_progress(done: int, total: int) -> None:
    """Do nothing."""


def no_step_progress(step: str, done: int, total: int) -> None:
    """Do nothing."""
