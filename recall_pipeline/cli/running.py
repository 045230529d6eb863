"""Run `sync_day` for one day after another in this process, where the UI sees it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from recall_pipeline.cli.instance import open_instance
from recall_pipeline.cli.stale_runs import close_stale_runs, process_tags
from recall_pipeline.settings import Settings

if TYPE_CHECKING:
    import dagster as dg

    from recall_pipeline.assets.session import Progress, Tally

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}  # the event log has it all


@dataclass(slots=True)
class DaysRun:
    """What was done over all days, and the days that failed with the reason."""

    tally: "Tally"
    failures: dict[date, str] = field(default_factory=dict)


def run_days(settings: Settings, days: Sequence[date], again: frozenset[str], progress: "Progress") -> DaysRun:
    """Run every day; one that fails does not stop the next."""
    import dagster as dg

    from recall_pipeline.assets.session import Session
    from recall_pipeline.definitions import defs

    session = Session(settings, days, again, is_interactive=True, progress=progress)
    resource = dg.ResourceDefinition.hardcoded_resource(session)
    job = defs.resolve_job_def("sync_day")
    done = DaysRun(session.tally)
    with open_instance() as instance:
        close_stale_runs(instance)
        for number, day in enumerate(days):
            progress("days", number, len(days))
            result = job.execute_in_process(
                run_config=_QUIET,
                instance=instance,
                partition_key=day.isoformat(),
                resources={"session": resource},
                raise_on_error=False,
                tags=process_tags(),
            )
            if not result.success:
                done.failures[day] = _reason(result)
        progress("days", len(days), len(days))
    return done


def _reason(result: "dg.ExecuteInProcessResult") -> str:
    """Return the one line of the step that failed first."""
    for event in result.all_events:
        if event.is_step_failure:
            failure = event.step_failure_data
            if failure.user_failure_data and failure.user_failure_data.description:
                return failure.user_failure_data.description
            kind = failure.error.cls_name if failure.error else "an unknown error"
            return f"step {event.step_key} ended with {kind}: its log is in Dagster under run {result.run_id}"
    return f"the run failed: its log is in Dagster under run {result.run_id}"
