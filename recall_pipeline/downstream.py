"""Public API for other code locations: the catalog as a Dagster resource, day partitions, tables of their own.

    defs = dg.Definitions(assets=[...], resources={"recall_catalog": RecallCatalog()})

An asset that depends on the asset key `audio_catalog` and is partitioned by `DAYS` gets one run per day, like the
catalog (docs/downstream.md). Another code location needs only this module and `recall_pipeline.audio`.
Names that need Dagster are imported on first use; `DAYS` then reads RECALL_START_DATE.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from importlib import import_module
from typing import TYPE_CHECKING, Any

from recall_pipeline.audit import AUDIT, FORGOTTEN, AuditRow, record_audit
from recall_pipeline.catalog import CATALOG, ArchivedRecording, Outcome, read_catalog, read_recordings
from recall_pipeline.days import utc_now
from recall_pipeline.errors import AudioError, PipelineError, SettingsError, StorageError, UsageError
from recall_pipeline.settings import Settings, load_settings, project_folder, without_quotes
from recall_pipeline.storage import Archive, ScannedDay, Table, column, open_archive, scan_days, stream_tables

if TYPE_CHECKING:
    import pandas as pd

    from recall_pipeline.defs import (
        DAYS,
        SCHEDULE_PRIORITY,
        SENSOR_PRIORITY,
        TAGS,
        AssetTranslation,
        DayReport,
        DocumentedComponent,
        as_dagster_failure,
        day_partitions,
        day_report,
        days_of,
        failure_log,
        materialized,
    )

__all__ = [
    "AUDIT",
    "CATALOG",
    "DAYS",
    "FORGOTTEN",
    "SCHEDULE_PRIORITY",
    "SENSOR_PRIORITY",
    "TAGS",
    "Archive",
    "ArchivedRecording",
    "AssetTranslation",
    "AudioError",
    "AuditRow",
    "DayReport",
    "DocumentedComponent",
    "Outcome",
    "PipelineError",
    "RecallCatalog",
    "ScannedDay",
    "Settings",
    "SettingsError",
    "StorageError",
    "Table",
    "UsageError",
    "as_dagster_failure",
    "column",
    "day_partitions",
    "day_report",
    "days_of",
    "failure_log",
    "load_settings",
    "materialized",
    "open_archive",
    "project_folder",
    "record_audit",
    "scan_days",
    "stream_tables",
    "utc_now",
    "without_quotes",
]

_FROM_DAGSTER = (
    "SCHEDULE_PRIORITY",
    "SENSOR_PRIORITY",
    "DAYS",
    "TAGS",
    "AssetTranslation",
    "DayReport",
    "DocumentedComponent",
    "as_dagster_failure",
    "day_report",
    "day_partitions",
    "days_of",
    "failure_log",
    "materialized",
)


def __getattr__(name: str) -> Any:
    if name not in _FROM_DAGSTER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("recall_pipeline.defs"), name)


class RecallCatalog:
    """Read access to the catalog and its audio. Requires RECALL_STORAGE_URL in the environment, but no API key.

    With `settings` it reads their archive; a named component gives one as the resource `NAME_recall_catalog`.
    Assets declare it as `dg.ResourceParam[RecallCatalog]`. Each method raises SettingsError for a wrong setting, and
    StorageError if the archive is not readable.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings

    def read(
        self,
        *,
        first: date | None = None,
        last: date | None = None,
        outcomes: Collection[str] | None = None,
        columns: Sequence[str] | None = None,
    ) -> "pd.DataFrame":
        """Return the rows of a range of days; see `recall_pipeline.catalog.read_catalog`."""
        return read_catalog(first=first, last=last, outcomes=outcomes, columns=columns, settings=self._settings)

    def recordings(
        self,
        *,
        first: date | None = None,
        last: date | None = None,
        outcomes: Collection[str] | None = ("ready",),
    ) -> Iterator[ArchivedRecording]:
        """Yield the recordings of a range of days; see `recall_pipeline.catalog.read_recordings`."""
        return read_recordings(first=first, last=last, outcomes=outcomes, settings=self._settings)
