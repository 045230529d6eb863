"""Schedule `daily_sync`: once a night, a run for every day that is due."""

from collections.abc import Iterator

import dagster as dg

from recall_pipeline.catalog import days_due
from recall_pipeline.defs.names import Names
from recall_pipeline.defs.priorities import SCHEDULE_PRIORITY
from recall_pipeline.errors import PipelineError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import check_identity, open_archive


def daily_sync_schedule(settings: Settings, names: Names) -> dg.ScheduleDefinition:
    """Return the schedule `daily_sync` of the archive of `settings`."""

    def request_days_due(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        yield from _requests(settings, context)

    return dg.schedule(
        name=names.of("daily_sync"),
        job_name=names.of("sync_day"),
        cron_schedule="23 2 * * *",  # not on the hour, when other cron jobs send requests to the API
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Syncs every day that is due: the lookback, days of any age with unfinished recordings, and "
        "days that were not cataloged completely since their end.",
    )(request_days_due)


def _requests(settings: Settings, context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Yield a run request for each day that is due at the tick."""
    tick = context.scheduled_execution_time
    try:
        settings.required_api_key()
        archive = open_archive(settings)
        due = days_due(archive, settings, tick)
        check_identity(archive, settings)
    except PipelineError as error:
        yield dg.SkipReason(str(error))
        return
    for day in due.requested:
        run_key = f"{day}:daily:{tick.isoformat()}"
        yield dg.RunRequest(run_key=run_key, partition_key=day.isoformat(), tags=SCHEDULE_PRIORITY)
