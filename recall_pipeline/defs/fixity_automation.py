"""What runs the asset `fixity`, and what follows from it: a job, a schedule, and a sensor that requests repairs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg

from recall_pipeline.days import utc_now
from recall_pipeline.defs.fixity_asset import cycle_of
from recall_pipeline.defs.names import Names
from recall_pipeline.defs.priorities import SCHEDULE_PRIORITY
from recall_pipeline.defs.run_context import refetch_tags
from recall_pipeline.errors import PipelineError
from recall_pipeline.fixity import FixityState, read_state
from recall_pipeline.settings import Settings
from recall_pipeline.storage import check_identity, open_archive

if TYPE_CHECKING:  # not among Dagster's public names
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

FIXITY_JOB = "check_fixity"
_OFF = "RECALL_FIXITY_DAYS is off: no file is read back by itself"


def fixity_job(names: Names) -> "UnresolvedAssetJobDefinition":
    """Return the job that reads a share of the stored files back."""
    return dg.define_asset_job(
        names.of(FIXITY_JOB),
        selection=dg.AssetSelection.assets(names.asset("fixity")),
        executor_def=dg.in_process_executor,
        description="Read back the files that were not read for the longest time.",
    )


def daily_fixity_schedule(settings: Settings, names: Names) -> dg.ScheduleDefinition:
    """Return the schedule `daily_fixity`, which requests a pass unless RECALL_FIXITY_DAYS is off."""

    def request_pass(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        try:
            is_off = settings.fixity_cycle_days is None
        except PipelineError as error:
            yield dg.SkipReason(str(error))
            return
        if is_off:
            yield dg.SkipReason(_OFF)
        else:
            yield dg.RunRequest(run_key=context.scheduled_execution_time.isoformat(), tags=SCHEDULE_PRIORITY)

    return dg.schedule(
        name=names.of("daily_fixity"),
        job_name=names.of(FIXITY_JOB),
        cron_schedule="37 5 * * *",  # after daily_sync and daily_retention
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Reads a share of the stored files back once a day, so that each is read in RECALL_FIXITY_DAYS.",
    )(request_pass)


def fixity_repairs_sensor(settings: Settings, names: Names) -> dg.SensorDefinition:
    """Return the sensor `fixity_repairs`: after each pass, a sync of the recordings of which a file is damaged."""

    def request_repairs(
        context: dg.SensorEvaluationContext, event: dg.EventLogEntry
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        try:
            settings.required_api_key()
            archive = open_archive(settings)
            state = read_state(archive, cycle_of(settings), utc_now())
            check_identity(archive, settings)
        except PipelineError as error:
            yield dg.SkipReason(str(error))
            return
        yield from _repairs(settings, state, f"{event.run_id}:{context.cursor}")

    return dg.asset_sensor(
        asset_key=names.asset("fixity"),
        name=names.of("fixity_repairs"),
        job_name=names.of("sync_day"),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="After each pass of `fixity`: downloads or makes damaged files again, as verify --repair does.",
    )(request_repairs)


def _repairs(settings: Settings, state: FixityState, pass_key: str) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Yield a request for each day with a file that a sync can replace. A day with a damaged table is left alone."""
    requested = False
    for day, files in sorted(state.damaged.items()):
        recordings = {file.recording_id for file in files if file.recording_id and file.is_repairable}
        is_blocked = any(file.recording_id is None for file in files)
        if recordings and not is_blocked and day >= settings.start_date:
            requested = True
            tags = {**SCHEDULE_PRIORITY, **refetch_tags(recordings)}
            yield dg.RunRequest(run_key=f"{pass_key}:{day}", partition_key=day.isoformat(), tags=tags)
    if not requested:
        yield dg.SkipReason("no file is damaged that a sync could replace")
