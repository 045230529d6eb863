"""The pipeline for Dagster: assets, asset checks, jobs, schedules, sensors, resources.

Belongs here: what turns a partition key into calls of the other packages, and their results into metadata; which runs
are requested and when; alerts.
Does not belong here: anything that works without Dagster. The other packages do not import this one.
Comes in: settings, partition keys, ticks.
Goes out: `build_definitions`; at run time materializations, run requests, alerts, and Dagster's Failure with one line
that names the fault and the next action.
"""

from typing import TYPE_CHECKING, Any

from recall_pipeline.defs.asset_translation import AssetTranslation
from recall_pipeline.defs.build import build_definitions
from recall_pipeline.defs.documented_component import DocumentedComponent
from recall_pipeline.defs.failure_log import failure_log
from recall_pipeline.defs.metadata import TAGS, DayReport, day_report, materialized
from recall_pipeline.defs.names import Names, valid_instance
from recall_pipeline.defs.partitions import day_partitions, days_of
from recall_pipeline.defs.priorities import SCHEDULE_PRIORITY, SENSOR_PRIORITY
from recall_pipeline.defs.run_context import RunContext, SyncStats, as_dagster_failure
from recall_pipeline.defs.run_liveness import close_dead_runs, process_tags
from recall_pipeline.settings import Settings

__all__ = [
    "DAYS",
    "SCHEDULE_PRIORITY",
    "SENSOR_PRIORITY",
    "TAGS",
    "AssetTranslation",
    "DayReport",
    "DocumentedComponent",
    "Names",
    "RunContext",
    "SyncStats",
    "as_dagster_failure",
    "build_definitions",
    "close_dead_runs",
    "day_partitions",
    "day_report",
    "days_of",
    "failure_log",
    "materialized",
    "process_tags",
    "valid_instance",
]

if TYPE_CHECKING:
    import dagster as dg

    DAYS: dg.DailyPartitionsDefinition
else:

    def __getattr__(name: str) -> Any:
        """Make `DAYS`, the partitions of the archive that the environment names, when it is used."""
        if name != "DAYS":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return day_partitions(Settings.from_environment())
