"""When transcripts are made: as soon as a day of the catalog was, and once a day whatever that has missed."""

from collections.abc import Iterator
from importlib.util import find_spec

import dagster as dg

from recall_pipeline.downstream import SCHEDULE_PRIORITY, SENSOR_PRIORITY, PipelineError, load_settings, open_archive
from recall_transcripts.asset import transcripts
from recall_transcripts.due_days import days_to_transcribe
from recall_transcripts.settings import WHISPER, load_transcripts_settings

transcribe_day = dg.define_asset_job(
    "transcribe_day", selection=[transcripts], description="Transcribe what is ready and new on one day."
)


def _can_transcribe() -> bool:
    """Say whether an engine is here; without one, runs that start by themselves would only fail by themselves."""
    return load_transcripts_settings().engine != WHISPER or find_spec("faster_whisper") is not None


_STARTS = _can_transcribe()

catalog_changes = dg.AutomationConditionSensorDefinition(
    "catalog_changes",
    target=dg.AssetSelection.assets(transcripts),
    run_tags=SENSOR_PRIORITY,
    default_status=dg.DefaultSensorStatus.RUNNING if _STARTS else dg.DefaultSensorStatus.STOPPED,
    description="Requests a day when its catalog was materialized. Starts switched on where an engine is installed.",
)


@dg.schedule(
    job=transcribe_day,
    cron_schedule="7 5 * * *",  # after `daily_sync` and `retention`
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING if _STARTS else dg.DefaultScheduleStatus.STOPPED,
    description="Every day on which a ready recording has no transcript, or a forgotten one still has.",
)
def daily_transcripts(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Request a run for each day that transcripts and catalog disagree on."""
    tick = context.scheduled_execution_time
    try:
        due = days_to_transcribe(open_archive(load_settings()))
    except PipelineError as error:
        yield dg.SkipReason(str(error))
        return
    for day in due:
        run_key = f"{day}:transcripts:{tick.isoformat()}"
        yield dg.RunRequest(run_key=run_key, partition_key=day.isoformat(), tags=SCHEDULE_PRIORITY)
