"""Metadata that one reads at a glance in the UI, the same for every asset, and data versions from content.

Nothing personal goes into it: Dagster keeps its events for longer than a recording may be kept.
"""

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg

from recall_pipeline.storage import Archive, Table

RECALL_API_POOL = "recall_api"
"""Steps that ask Recall.ai; dagster.yaml says how many may run at once."""

OWNERS = ["team:meeting-audio"]
TAGS = {"source": "recall.ai", "privacy": "personal-data"}
"""What a search of the asset catalog goes by; all of it is about people: their voices, names, meetings."""

DAILY = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=36), warn_window=timedelta(hours=26))
"""`daily_sync` materializes each asset at least once a day; whatever keeps it from that is seen here."""


@dataclass(frozen=True, slots=True)
class DayReport:
    """What is told of one day's materialization; `version` is the same for the same content."""

    metadata: Mapping[str, Any]
    version: str


def day_report(archive: Archive, table: Table[Any], day: date, rows: Sequence[Any], **values: Any) -> DayReport:
    """Report on a day's table: row count, schema, place, and `values`, of which numbers become plots over days."""
    columns = [
        dg.TableColumn(name, kind, description=description) for name, (kind, description) in table.columns.items()
    ]
    uri = archive.uri(table.key(day))
    facts = {
        "table": dg.MetadataValue.path(uri) if uri.startswith("file://") else dg.MetadataValue.url(uri),
        "dagster/column_schema": dg.MetadataValue.table_schema(dg.TableSchema(columns)),
    }
    counted = {"dagster/row_count": dg.MetadataValue.int(len(rows))}
    return DayReport({**counted, **values, **facts}, content_version(rows))


def materialized(context: dg.AssetExecutionContext, reports: Mapping[date, DayReport]) -> dg.MaterializeResult[None]:
    """Return the materialization of one day, or of each day of a range with its own metadata.

    Dagster gives all days of a range one data version: what follows a day of it is fresh when no day has changed.
    """
    versions = [report.version for report in reports.values()]
    version = versions[0] if len(versions) == 1 else _digest(versions)
    for day, report in reports.items():
        context.add_asset_metadata(dict(report.metadata), partition_key=day.isoformat())
    return dg.MaterializeResult(data_version=dg.DataVersion(version))


def content_version(rows: Sequence[Any]) -> str:
    """Return a digest of the rows' values, so that a sync that changed nothing leaves what follows fresh."""
    return _digest(repr([_digestible(value) for value in dataclasses.astuple(row)]) for row in rows)


def _digest(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode())
    return digest.hexdigest()[:16]


def _digestible(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
