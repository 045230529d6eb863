"""Runs of a command line that was killed: Dagster would hold their day for hours before it noticed."""

import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import dagster as dg

_PROCESS_TAG = "recall_pipeline/process"


def process_tags() -> dict[str, str]:
    """Return the tags that tell whose run it is."""
    return {"recall_pipeline/started_by": "command line", _PROCESS_TAG: f"{socket.gethostname()}:{os.getpid()}"}


def close_stale_runs(instance: "dg.DagsterInstance") -> None:
    """Report as failed each run of this host's command line whose process is no more."""
    import dagster as dg

    started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
    for run in instance.get_runs(started):
        host, _, process = run.tags.get(_PROCESS_TAG, "").partition(":")
        if host == socket.gethostname() and process.isdecimal() and not _is_alive(int(process)):
            instance.report_run_failed(run, "the command line that ran it was killed; the next sync goes on from there")


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
