"""How long work reports its progress."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with the number of items done and the number to do."""

StepProgress = Callable[[str, int, int], None]
"""The same, with the name of the step before it."""


def no_progress(done: int, total: int) -> None:
    """Report nothing."""


def no_step_progress(step: str, done: int, total: int) -> None:
    """Report nothing."""
