"""`build_definitions`: everything that Dagster loads, made from settings."""

import dagster as dg

from recall_pipeline.defs.alert_sensor import alerts_sensor
from recall_pipeline.defs.asset_checks import asset_checks
from recall_pipeline.defs.audio_catalog_asset import audio_catalog_asset
from recall_pipeline.defs.bots_asset import bots_asset
from recall_pipeline.defs.erasure_jobs import daily_retention_schedule, forget_job, retention_job
from recall_pipeline.defs.finished_bots_sensor import finished_bots_sensor
from recall_pipeline.defs.jobs import sync_day_job
from recall_pipeline.defs.mixed_audio_asset import mixed_audio_asset
from recall_pipeline.defs.names import Names
from recall_pipeline.defs.partitions import day_partitions
from recall_pipeline.defs.recordings_asset import recordings_asset
from recall_pipeline.defs.run_context import RunContextResource
from recall_pipeline.defs.schedules import daily_sync_schedule
from recall_pipeline.settings import Settings

_ASSETS = (bots_asset, recordings_asset, mixed_audio_asset, audio_catalog_asset)


def build_definitions(settings: Settings, name: str | None = None) -> dg.Definitions:
    """Return assets, checks, jobs, schedules, sensors and the resource of the archive of `settings`.

    Each call makes all of them anew, and reads its arguments only. With `name`, asset keys are `[name, "bots"]` etc.,
    and the names of jobs, schedules, sensors and steps of checks begin with `name_`. Each result needs a code location
    of its own: two cannot be merged, because both have the resource `run_context`.
    """
    names, days = Names(name), day_partitions(settings)
    return dg.Definitions(
        assets=[make(names, days) for make in _ASSETS],
        asset_checks=asset_checks(names, days),
        jobs=[sync_day_job(names), forget_job(names), retention_job(names)],
        schedules=[daily_sync_schedule(settings, names), daily_retention_schedule(settings, names)],
        sensors=[finished_bots_sensor(settings, names), alerts_sensor(settings, names)],
        resources={"run_context": RunContextResource(settings=settings)},
        # The steps follow one another and have their own concurrency; a process per step costs 3 to 8 s.
        executor=dg.in_process_executor,
    )
