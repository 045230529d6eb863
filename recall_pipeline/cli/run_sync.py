"""Run `sync_day` for one day after another in this process; the Dagster UI shows each run."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from recall_pipeline.cli.instance import open_instance
from recall_pipeline.cli.interrupts import detect_interrupts
from recall_pipeline.coordination import connect
from recall_pipeline.days import utc_now
from recall_pipeline.errors import StorageError, with_handle_hint
from recall_pipeline.progress import StepProgress
from recall_pipeline.settings import Settings, dagster_home
from recall_pipeline.storage import Archive

if TYPE_CHECKING:
    import dagster as dg

    from recall_pipeline.defs import SyncStats

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}  # the event log contains all messages
_MAX_FAILURES_IN_A_ROW = 3  # days; the next would most likely fail too, after all its retries


@dataclass(slots=True)
class DaysRun:
    """The result of a sequence of runs: statistics, the reason of each failed day, and the days not tried."""

    stats: "SyncStats"
    failures: dict[date, str] = field(default_factory=dict)
    untried: Sequence[date] = ()

    def synced(self, days: Sequence[date]) -> list[date]:
        """Return those of `days` whose run succeeded."""
        return [day for day in days if day not in self.failures and day not in self.untried]

    @property
    def error_lines(self) -> list[str]:
        """One line per failed day, and one for the days that were not tried."""
        lines = [f"{day}: {reason}" for day, reason in self.failures.items()]
        if self.untried:
            span = f"{self.untried[0]} to {self.untried[-1]}"
            lines.append(f"{span}: not tried, since {_MAX_FAILURES_IN_A_ROW} days in a row failed")
        return lines


def run_days(
    settings: Settings,
    days: Sequence[date],
    refetch: frozenset[str],
    progress: StepProgress,
    *,
    accept_vanished: bool = False,
) -> DaysRun:
    """Run `sync_day` for each of `days`; three failed days in a row end the sequence, but for unreadable tables.

    Raises KeyboardInterrupt if interrupted, SettingsError or StorageError if the Dagster instance or the coordination
    server of the settings cannot be used.
    """
    from recall_pipeline.defs import RunContext, build_definitions, close_dead_runs

    if settings.coordination_url is not None:
        connect(settings.coordination_url)  # refuses a wrong setting once, not on each day
    run_context = RunContext(
        settings, days, refetch, is_interactive=True, accept_vanished=accept_vanished, progress=progress
    )
    job = build_definitions(settings).resolve_job_def("sync_day")
    done = DaysRun(run_context.stats)
    failed_in_a_row = 0
    with (
        contextlib.closing(run_context),
        open_instance() as instance,
        detect_interrupts() as interrupted,
    ):
        try:
            close_dead_runs(instance)
        except Exception as error:
            raise StorageError(_instance_error(error)) from None
        for number, day in enumerate(days):
            if failed_in_a_row == _MAX_FAILURES_IN_A_ROW:
                done.untried = days[number:]
                break
            progress("days", number, len(days))
            reason = _run_day(instance, job, run_context, day)
            if interrupted():
                raise KeyboardInterrupt
            if reason is None:
                failed_in_a_row = 0
                continue
            done.failures[day] = reason
            failed_in_a_row += not _has_unreadable_table(run_context.archive, day)
    return done


def _has_unreadable_table(archive: Archive, day: date) -> bool:
    """Whether a table of the day cannot be read, which does not affect the next day."""
    from recall_pipeline.catalog import days_of_tables, read_day_states

    try:
        return read_day_states(archive, days_of_tables(archive), [day], utc_now())[day].fault is not None
    except StorageError:
        return False


def _run_day(instance: "dg.DagsterInstance", job: "dg.JobDefinition", run_context: object, day: date) -> str | None:
    """Run one day; return the reason of its failure, None if it succeeded."""
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
    except Exception as error:  # raised by Dagster's storage: the error of a step is in the result
        return _instance_error(error)
    return None if result.success else with_handle_hint(_failure_reason(result))


def _instance_error(error: Exception) -> str:
    """Return the message for a failed database of Dagster, such as one on a full disk."""
    reason = (str(error) or type(error).__name__).splitlines()[0]
    return f"Dagster cannot write its records to {dagster_home()} ({reason}): free disk space, or repair the database"


def _failure_reason(result: "dg.ExecuteInProcessResult") -> str:
    """Return one line for the step that failed first."""
    for event in result.all_events:
        if event.is_step_failure:
            failure = event.step_failure_data
            if failure.user_failure_data and failure.user_failure_data.description:
                return failure.user_failure_data.description
            error = failure.error and (failure.error.cause or failure.error)
            kind = error.cls_name if error else "an unknown error"
            return f"step {event.step_key} ended with {kind}: its log is in Dagster under run {result.run_id}"
    return f"the run failed: its log is in Dagster under run {result.run_id}"
