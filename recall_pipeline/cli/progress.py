"""Progress bars on standard error; none if it is not a terminal."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import TaskID

    from recall_pipeline.progress import StepProgress


@contextlib.contextmanager
def progress_bars() -> Iterator["StepProgress"]:
    """Yield a progress callback that draws one bar per step; it draws nothing without a terminal."""
    from rich.console import Console  # slow to import, and not needed for a dry run
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def update(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total)
            bars.update(tasks[step], completed=done, total=total, visible=done < total or step == "days")

        yield update
