"""A command in a process of its own, which can be killed."""

import contextlib
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from recall_pipeline_tests.chaos.trials import Running

if TYPE_CHECKING:
    from recall_pipeline_tests.chaos.simulation.year import Year

_ROOT = Path(__file__).parents[3]
_FOREIGN = ("RECALL_", "DAGSTER_", "AWS_")


@contextlib.contextmanager
def started(year: "Year", *arguments: str) -> Iterator[Running]:
    """Start a command on the turned clock; the process has ended at the end of the block."""
    clock, home = year.folder / "clock", year.folder / "home"
    home.mkdir(exist_ok=True)
    clock.write_text(str((year.clock.now - datetime.now(UTC)).total_seconds()))
    module = "recall_pipeline_tests.chaos.trials.handicapped"
    program = [sys.executable, "-m", module, "--clock", str(clock), "--", *arguments]
    running = Running(program, _environment(year, home), year.folder / arguments[0])
    try:
        yield running
    finally:
        running.kill()


def _environment(year: "Year", home: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return inherited | {
        "RECALL_API_URL": year.sandbox.api_url,
        "RECALL_API_KEY": year.sandbox.api_key,
        "RECALL_STORAGE_URL": str(year.data),
        "RECALL_START_DATE": year.settings.start_date.isoformat(),
        "RECALL_LIST_RPM": "100000",
        "RECALL_OBJECT_RPM": "100000",
        "RECALL_WORKERS": "1",
        "DAGSTER_HOME": str(home),
        "PYTHONPATH": str(_ROOT),
    }
