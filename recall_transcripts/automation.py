"""Sensor and schedule: transcribe a day when its catalog changes, and daily every day that is still due."""

from collections.abc import Iterator
from importlib.util import find_spec

import dagster as dg

from recall_pipeline.downstream import SCHEDULE_PRIORITY, SENSOR_PRIORITY, PipelineError, load_settings, open_archive
from recall_transcripts.asset import transcripts
from recall_transcripts.due_days import days_to_transcribe
from recall_transcripts.settings import WHISPER, load_transcripts_settings

transcribe_day = dg.define_asset_job(
    "transcribe_day", selection=[transcripts], description="Transcribe the new or changed ready recordings of one day."
)


def _engine_is_installed() -> bool:
    """Return whether an engine is installed. Without one, automatic runs could only fail."""
    return load_transcripts_settings().engine != WHISPER or find_spec("faster_whisper") is not None


_IS_ENABLED = _engine_is_installed()

catalog_changes = dg.AutomationConditionSensorDefinition(
    "catalog_changes",
    target=dg.AssetSelection.assets(transcripts),
    run_tags=SENSOR_PRIORITY,
    default_status=dg.DefaultSensorStatus.RUNNING if _IS_ENABLED else dg.DefaultSensorStatus.STOPPED,
    description="Requests a day when its catalog was materialized. On by default if an engine is installed.",
)


@dg.schedule(
    job=transcribe_day,
    cron_schedule="7 5 * * *",  # after `daily_sync` and `retention`
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING if _IS_ENABLED else dg.DefaultScheduleStatus.STOPPED,
    description="Requests every day on which a ready recording has no transcript, or an erased one still has one.",
)
def daily_transcripts(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Request a run for each day on which transcripts and catalog differ; days before the partitions have none."""
    tick = context.scheduled_execution_time
    try:
        settings = load_settings()
        due = days_to_transcribe(open_archive(settings), settings.start_date, tick.date())
    except PipelineError as error:
        yield dg.SkipReason(str(error))
        return
    for day in due:
        run_key = f"{day}:transcripts:{tick.isoformat()}"
        yield dg.RunRequest(run_key=run_key, partition_key=day.isoformat(), tags=SCHEDULE_PRIORITY)
