"""`build_definitions`: everything that Dagster loads, made from settings."""

import hashlib

import dagster as dg

from recall_pipeline.defs.alert_sensor import alerts_sensor
from recall_pipeline.defs.asset_checks import asset_checks
from recall_pipeline.defs.audio_catalog_asset import audio_catalog_asset
from recall_pipeline.defs.bots_asset import bots_asset
from recall_pipeline.defs.erasure_jobs import daily_retention_schedule, forget_job, retention_job
from recall_pipeline.defs.finished_bots_sensor import finished_bots_sensor
from recall_pipeline.defs.fixity_asset import fixity_asset
from recall_pipeline.defs.fixity_automation import daily_fixity_schedule, fixity_job, fixity_repairs_sensor
from recall_pipeline.defs.freshness import freshness_check
from recall_pipeline.defs.jobs import sync_day_job
from recall_pipeline.defs.mixed_audio_asset import mixed_audio_asset
from recall_pipeline.defs.names import Names, Translate, valid_instance
from recall_pipeline.defs.partitions import day_partitions
from recall_pipeline.defs.recordings_asset import recordings_asset
from recall_pipeline.defs.run_context import RunContextResource
from recall_pipeline.defs.schedules import daily_sync_schedule
from recall_pipeline.settings import Settings
from recall_pipeline.storage import place_of

_ASSETS = (bots_asset, recordings_asset, mixed_audio_asset, audio_catalog_asset)
_SCHEDULES = (daily_sync_schedule, daily_retention_schedule, daily_fixity_schedule)
_SENSORS = (finished_bots_sensor, alerts_sensor, fixity_repairs_sensor)


def build_definitions(
    settings: Settings, name: str | None = None, translate: Translate = lambda spec: spec
) -> dg.Definitions:
    """Return assets, checks, jobs, schedules, sensors and the resource of the archive of `settings`.

    Each call makes all of them, and reads its arguments only. With `name`, asset keys are `[name, "bots"]` etc.,
    and all other names begin with `name_`, so that results with different names can be merged. `translate` changes
    what Dagster shows of each asset; dependencies, checks and jobs follow a changed key. Jobs run in one process;
    the executor of assets that are materialized without a job is that of the code location. Raises SettingsError for
    a name that is not valid.
    """
    names = Names(valid_instance(name) if name is not None else None, translate)
    days = day_partitions(settings)
    return dg.Definitions(
        assets=[*(make(names, days) for make in _ASSETS), fixity_asset(names)],
        asset_checks=[*asset_checks(names, days), freshness_check(names)],
        jobs=[sync_day_job(names), forget_job(names), retention_job(names), fixity_job(names)],
        schedules=[make(settings, names) for make in _SCHEDULES],
        sensors=[make(settings, names) for make in _SENSORS],
        resources={names.run_context: RunContextResource(settings=settings), **_reserved_storage(settings, names)},
    )


def _reserved_storage(settings: Settings, names: Names) -> dict[str, dg.ResourceDefinition]:
    """Return a resource whose key stands for the storage: Dagster refuses to merge two that have the same key."""
    if settings.fault is not None:
        return {}
    place = hashlib.sha256(place_of(settings).encode()).hexdigest()[:12]
    reserved = dg.ResourceDefinition.none_resource(
        f"Reserves {settings.storage_root} for {names.instance or 'one archive'}."
    )
    return {f"recall_archive_{place}": reserved}
