"""Run `sync_day` for one day after another in this process, where the UI sees it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from recall_pipeline.cli.instance import open_instance
from recall_pipeline.cli.interrupts import noticing_interrupts
from recall_pipeline.errors import StorageError
from recall_pipeline.progress import StepProgress
from recall_pipeline.settings import Settings, dagster_home

if TYPE_CHECKING:
    import dagster as dg

    from recall_pipeline.defs import SyncStats

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}  # the event log has it all
_FAILURES_IN_A_ROW = 3  # days; what fails them will fail the next, and each waits for its retries


@dataclass(slots=True)
class DaysRun:
    """What was done over all days, the days that failed with the reason, and those not tried after them."""

    stats: "SyncStats"
    failures: dict[date, str] = field(default_factory=dict)
    untried: Sequence[date] = ()

    def synced(self, days: Sequence[date]) -> list[date]:
        """Return those of the `days` that did not fail."""
        return [day for day in days if day not in self.failures and day not in self.untried]

    @property
    def faults(self) -> list[str]:
        """A line for each day that failed, and one for those that were not tried."""
        lines = [f"{day}: {reason}" for day, reason in self.failures.items()]
        if self.untried:
            lines.append(
                f"{self.untried[0]} to {self.untried[-1]}: not tried, since {_FAILURES_IN_A_ROW} days in a row failed"
            )
        return lines


def run_days(settings: Settings, days: Sequence[date], refetch: frozenset[str], progress: StepProgress) -> DaysRun:
    """Run every day; one that fails does not stop the next, three in a row do. Raises KeyboardInterrupt."""
    from recall_pipeline.defs import RunContext, build_definitions, close_dead_runs

    run_context = RunContext(settings, days, refetch, is_interactive=True, progress=progress)
    job = build_definitions(settings).resolve_job_def("sync_day")
    done = DaysRun(run_context.stats)
    failed_in_a_row = 0
    with open_instance() as instance, noticing_interrupts() as interrupted:
        try:
            close_dead_runs(instance)
        except Exception as fault:
            raise StorageError(_unrecorded(fault)) from None
        for number, day in enumerate(days):
            if failed_in_a_row == _FAILURES_IN_A_ROW:
                done.untried = days[number:]
                break
            progress("days", number, len(days))
            reason = _run_day(instance, job, run_context, day)
            if interrupted():
                raise KeyboardInterrupt
            failed_in_a_row = failed_in_a_row + 1 if reason else 0
            if reason:
                done.failures[day] = reason
    return done


def _run_day(instance: "dg.DagsterInstance", job: "dg.JobDefinition", run_context: object, day: date) -> str | None:
    """Run one day and return why it failed; None when it did not."""
    import dagster as dg

    from recall_pipeline.defs import process_tags

    try:
        result = job.execute_in_process(
            run_config=_QUIET,
            instance=instance,
            partition_key=day.isoformat(),
            resources={"run_context": dg.ResourceDefinition.hardcoded_resource(run_context)},
            raise_on_error=False,
            tags={"recall_pipeline/started_by": "command line", **process_tags()},
        )
    except Exception as fault:  # of Dagster's own records: what a step raises is in the result
        return _unrecorded(fault)
    return None if result.success else _failure_reason(result)


def _unrecorded(fault: Exception) -> str:
    """Say that Dagster's database failed: its disk is full, say."""
    said = (str(fault) or type(fault).__name__).splitlines()[0]
    return f"Dagster cannot keep its records in {dagster_home()} ({said}): free some space there, or mend it"


def _failure_reason(result: "dg.ExecuteInProcessResult") -> str:
    """Return the one line of the step that failed first."""
    for event in result.all_events:
        if event.is_step_failure:
            failure = event.step_failure_data
            if failure.user_failure_data and failure.user_failure_data.description:
                return failure.user_failure_data.description
            error = failure.error and (failure.error.cause or failure.error)
            kind = error.cls_name if error else "an unknown error"
            return f"step {event.step_key} ended with {kind}: its log is in Dagster under run {result.run_id}"
    return f"the run failed: its log is in Dagster under run {result.run_id}"
