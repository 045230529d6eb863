"""Job, sensor and schedule: transcribe a day when its catalog changes, and daily every day that is still due."""

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

import dagster as dg

from recall_pipeline.downstream import SCHEDULE_PRIORITY, SENSOR_PRIORITY, PipelineError, Settings, open_archive
from recall_transcripts.due_days import days_to_transcribe
from recall_transcripts.names import TranscriptNames
from recall_transcripts.settings import WHISPER, TranscriptsSettings

if TYPE_CHECKING:  # not among Dagster's public names
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition


def is_engine_installed(settings: TranscriptsSettings) -> bool:
    """Return whether the engine of the settings is installed. Without one, automatic runs could only fail."""
    return settings.engine != WHISPER or find_spec("faster_whisper") is not None


def transcribe_day_job(names: TranscriptNames) -> "UnresolvedAssetJobDefinition":
    """Return the job `transcribe_day`."""
    return dg.define_asset_job(
        names.of("transcribe_day"),
        selection=dg.AssetSelection.assets(names.asset),
        executor_def=dg.in_process_executor,
        description="Transcribe the new or changed ready recordings of one day.",
    )


def catalog_changes_sensor(names: TranscriptNames, *, is_enabled: bool) -> dg.AutomationConditionSensorDefinition:
    """Return the sensor `catalog_changes`."""
    return dg.AutomationConditionSensorDefinition(
        names.of("catalog_changes"),
        target=dg.AssetSelection.assets(names.asset),
        run_tags=SENSOR_PRIORITY,
        default_status=dg.DefaultSensorStatus.RUNNING if is_enabled else dg.DefaultSensorStatus.STOPPED,
        description="Requests a day when its catalog was materialized. On by default if an engine is installed.",
    )


def daily_transcripts_schedule(
    names: TranscriptNames, settings_of_archive: Callable[[], Settings], *, is_enabled: bool
) -> dg.ScheduleDefinition:
    """Return the schedule `daily_transcripts` of the archive with these settings."""

    def request_days(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        yield from _days_requested(settings_of_archive, context)

    return dg.schedule(
        name=names.of("daily_transcripts"),
        job_name=names.of("transcribe_day"),
        cron_schedule="7 5 * * *",  # after `daily_sync` and `retention`
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING if is_enabled else dg.DefaultScheduleStatus.STOPPED,
        description="Requests every day on which a ready recording has no transcript, or an erased one still has one.",
    )(request_days)


def _days_requested(
    settings_of_archive: Callable[[], Settings], context: dg.ScheduleEvaluationContext
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Yield a request for each day on which transcripts and catalog differ; days before the partitions have none."""
    tick = context.scheduled_execution_time
    try:
        settings = settings_of_archive()
        due = days_to_transcribe(open_archive(settings), settings.start_date, tick.date())
    except PipelineError as error:
        yield dg.SkipReason(str(error))
        return
    for day in due:
        run_key = f"{day}:transcripts:{tick.isoformat()}"
        yield dg.RunRequest(run_key=run_key, partition_key=day.isoformat(), tags=SCHEDULE_PRIORITY)
