"""Schedule `daily_sync`: once a day, everything that is due."""

from collections.abc import Iterator

import dagster as dg

from recall_pipeline.catalog import days_due
from recall_pipeline.days import day_of
from recall_pipeline.defs.jobs import sync_day
from recall_pipeline.defs.priorities import SCHEDULE_PRIORITY
from recall_pipeline.errors import PipelineError
from recall_pipeline.settings import load_settings
from recall_pipeline.storage import open_archive


@dg.schedule(
    job=sync_day,
    cron_schedule="23 2 * * *",  # not on the hour, when everybody's crons meet at the API
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Yesterday, and every day of the lookback with something to look at again or never listed whole.",
)
def daily_sync(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Request a run for each day that is due."""
    settings = load_settings()
    tick = context.scheduled_execution_time
    try:
        settings.required_api_key()
        due = days_due(open_archive(settings), settings, day_of(tick))
    except PipelineError as error:
        yield dg.SkipReason(str(error))
        return
    for day in due:
        run_key = f"{day}:daily:{tick.isoformat()}"
        yield dg.RunRequest(run_key=run_key, partition_key=day.isoformat(), tags=SCHEDULE_PRIORITY)
