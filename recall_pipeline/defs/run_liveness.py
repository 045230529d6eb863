"""The process of each run: without it, a killed run would block its day for hours."""

import os
import socket
from pathlib import Path

import dagster as dg

_TAG = "recall_pipeline/process"


def process_tags() -> dict[str, str]:
    """Return the tags that name this process as the one of a run."""
    return {_TAG: f"{_place()}:{os.getpid()}"}


def deployment_of(instance: dg.DagsterInstance) -> str:
    """Return the id of the storage of a Dagster instance: the same in all its processes and hosts."""
    stored_id = getattr(instance.run_storage, "get_run_storage_id", None)
    return str(stored_id()) if stored_id else socket.gethostname()


def close_dead_runs(instance: dg.DagsterInstance) -> None:
    """Report as failed each run whose process ran on this host and has ended. Runs of other hosts are left alone."""
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        if _died_here(run) and not _tag_is_its_parents(instance, run) and _still_runs(instance, run):
            instance.report_run_failed(run, "the process that ran it was killed; the next sync continues from there")


def _died_here(run: dg.DagsterRun) -> bool:
    """Whether the run's process ran in this place and has ended."""
    place, _, process = run.tags.get(_TAG, "").rpartition(":")
    return place == _place() and process.isdecimal() and not _is_alive(int(process))


def _tag_is_its_parents(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether it is a retry that has not been tagged yet: Dagster copies the tags of the run that died."""
    parent = instance.get_run_by_id(run.parent_run_id) if run.parent_run_id else None
    return parent is not None and parent.tags.get(_TAG) == run.tags[_TAG]


def _still_runs(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether the run has not ended in the meantime."""
    now = instance.get_run_by_id(run.run_id)
    return now is not None and now.status == dg.DagsterRunStatus.STARTED


def _place() -> str:
    """Return the scope of process ids: this host, or the container on it."""
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
