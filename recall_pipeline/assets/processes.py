"""Which process a run lives in: without knowing, Dagster would hold a killed run's day for hours."""

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import dagster as dg

_TAG = "recall_pipeline/process"


def process_tags() -> dict[str, str]:
    """Return the tags of a run that say in which process it lives: this one."""
    return {_TAG: f"{_place()}:{os.getpid()}"}


def close_dead_runs(instance: "dg.DagsterInstance") -> None:
    """Report as failed each run whose process lived here and is no more; of other places nothing is known."""
    import dagster as dg

    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        place, _, process = run.tags.get(_TAG, "").rpartition(":")
        if place == _place() and process.isdecimal() and not _is_alive(int(process)):
            instance.report_run_failed(run, "the process that ran it was killed; the next sync goes on from there")


def _place() -> str:
    """Return where process numbers mean something: this host, or the container that shares its name."""
    namespace = Path("/proc/self/ns/pid")
    return f"{socket.gethostname()}/{namespace.stat().st_ino if namespace.exists() else 0}"


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
