"""The pipeline as Dagster sees it: assets, asset checks, jobs, schedules, sensors, resources.

Belongs here: what turns a partition key into a call of one room, and a room's result into metadata; which runs are
requested and when; alerts.
Does not belong here: anything that works without Dagster. Those rooms do not know that it exists.
Comes in: partition keys, ticks. Goes out: materializations, run requests, alerts, and Dagster's Failure with the one
line that says what to do.
"""

from recall_pipeline.defs.alert_sensor import alerts
from recall_pipeline.defs.asset_checks import checks
from recall_pipeline.defs.audio_catalog_asset import audio_catalog
from recall_pipeline.defs.bots_asset import bots
from recall_pipeline.defs.erasure_jobs import daily_retention, forget_job, retention_job
from recall_pipeline.defs.finished_bots_sensor import finished_bots
from recall_pipeline.defs.jobs import sync_day
from recall_pipeline.defs.metadata import TAGS, DayReport, day_report, materialized
from recall_pipeline.defs.mixed_audio_asset import mixed_audio
from recall_pipeline.defs.partitions import DAYS, days_of
from recall_pipeline.defs.priorities import SCHEDULE_PRIORITY, SENSOR_PRIORITY
from recall_pipeline.defs.recordings_asset import recordings
from recall_pipeline.defs.run_context import RunContext, SyncStats, as_dagster_failure, run_context_resource
from recall_pipeline.defs.run_liveness import close_dead_runs, process_tags
from recall_pipeline.defs.schedules import daily_sync

__all__ = [
    "DAYS",
    "SCHEDULE_PRIORITY",
    "SENSOR_PRIORITY",
    "TAGS",
    "DayReport",
    "RunContext",
    "SyncStats",
    "alerts",
    "as_dagster_failure",
    "audio_catalog",
    "bots",
    "checks",
    "close_dead_runs",
    "daily_retention",
    "daily_sync",
    "day_report",
    "days_of",
    "finished_bots",
    "forget_job",
    "materialized",
    "mixed_audio",
    "process_tags",
    "recordings",
    "retention_job",
    "run_context_resource",
    "sync_day",
]
