"""What other code locations import: the catalog as a Dagster resource, the day partitions, tables of their own.

    defs = dg.Definitions(assets=[...], resources={"recall_catalog": RecallCatalog()})

An asset that depends on the asset key `audio_catalog` and is partitioned by `DAYS` gets a run a day, as the catalog
does (docs/downstream.md). The transcripts, another code location, import this module and `recall_pipeline.audio` only.
Names that need Dagster are imported when they are first used; `DAYS` then reads RECALL_START_DATE.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from importlib import import_module
from typing import TYPE_CHECKING, Any

from recall_pipeline.audit import AUDIT, FORGOTTEN, AuditRow, record_audit
from recall_pipeline.catalog import CATALOG, ArchivedRecording, Outcome, read_catalog, read_recordings
from recall_pipeline.days import utc_now
from recall_pipeline.errors import AudioError, PipelineError, SettingsError, StorageError, UsageError
from recall_pipeline.settings import load_settings, project_folder, without_quotes
from recall_pipeline.storage import Archive, Table, column, open_archive

if TYPE_CHECKING:
    import pandas as pd

    from recall_pipeline.defs import (
        DAYS,
        TAGS,
        DayReport,
        as_dagster_failure,
        day_report,
        days_of,
        materialized,
    )

__all__ = [
    "AUDIT",
    "CATALOG",
    "DAYS",
    "FORGOTTEN",
    "TAGS",
    "Archive",
    "ArchivedRecording",
    "AudioError",
    "AuditRow",
    "DayReport",
    "Outcome",
    "PipelineError",
    "RecallCatalog",
    "SettingsError",
    "StorageError",
    "Table",
    "UsageError",
    "as_dagster_failure",
    "column",
    "day_report",
    "days_of",
    "load_settings",
    "materialized",
    "open_archive",
    "project_folder",
    "record_audit",
    "utc_now",
    "without_quotes",
]

_OF_DAGSTER = ("DAYS", "TAGS", "DayReport", "as_dagster_failure", "day_report", "days_of", "materialized")


def __getattr__(name: str) -> Any:
    if name not in _OF_DAGSTER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("recall_pipeline.defs"), name)


class RecallCatalog:
    """The catalog and the audio it names; wants RECALL_STORAGE_URL where it runs, and never the API's key.

    An asset takes it as `dg.ResourceParam[RecallCatalog]`. Each method raises SettingsError for a wrong setting, and
    StorageError when the archive cannot be read.
    """

    def read(
        self,
        *,
        first: date | None = None,
        last: date | None = None,
        outcomes: Collection[str] | None = None,
        columns: Sequence[str] | None = None,
    ) -> "pd.DataFrame":
        """Return the rows of some days, as `recall_pipeline.catalog.read_catalog` does."""
        return read_catalog(first=first, last=last, outcomes=outcomes, columns=columns)

    def recordings(
        self,
        *,
        first: date | None = None,
        last: date | None = None,
        outcomes: Collection[str] | None = ("ready",),
    ) -> Iterator[ArchivedRecording]:
        """Yield the recordings of some days, as `recall_pipeline.catalog.read_recordings` does."""
        return read_recordings(first=first, last=last, outcomes=outcomes)
