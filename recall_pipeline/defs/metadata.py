"""Metadata of a materialization, the same for every asset, and data versions from content.

It contains no personal data: Dagster may keep its events for longer than a recording may be kept.
"""

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import dagster as dg

from recall_pipeline.browse import day_link
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, Table

TAGS = {"source": "recall.ai", "privacy": "personal-data"}
"""For a search of the asset catalog: every asset holds voices, names or meetings of people."""


@dataclass(frozen=True, slots=True)
class DayReport:
    """The metadata of one day's materialization; `version` is the same for the same content."""

    metadata: Mapping[str, Any]
    version: str


def day_report(archive: Archive, table: Table[Any], day: date, rows: Sequence[Any], **values: Any) -> DayReport:
    """Return the report on a day's table: row count, name, schema, URI, and `values`. Dagster plots the numbers."""
    of_table = table_metadata(table, archive.uri(table.key(day)))
    return DayReport({"dagster/partition_row_count": len(rows), **values, **of_table}, content_version(rows))


def table_metadata(table: Table[Any], uri: str) -> dict[str, Any]:
    """Return name, URI and schema of a table, under the names that Dagster knows."""
    columns = [
        dg.TableColumn(name, kind, description=description) for name, (kind, description) in table.columns.items()
    ]
    return {
        "dagster/table_name": table.name,
        "dagster/uri": uri,
        "dagster/column_schema": dg.MetadataValue.table_schema(dg.TableSchema(columns)),
    }


def page_metadata(settings: Settings, day: date) -> dict[str, Any]:
    """Return the link to a day on the archive page; nothing without RECALL_PAGE_URL."""
    return {"archive_page": dg.MetadataValue.url(day_link(settings.page_url, day))} if settings.page_url else {}


def materialized(context: dg.AssetExecutionContext, reports: Mapping[date, DayReport]) -> dg.MaterializeResult[None]:
    """Return the materialization of one day, or of each day of a range with its own metadata.

    Dagster gives all days of a range one data version: downstream of one day is fresh if no day has changed.
    """
    versions = [report.version for report in reports.values()]
    version = versions[0] if len(versions) == 1 else _digest(versions)
    for day, report in reports.items():
        context.add_asset_metadata(dict(report.metadata), partition_key=day.isoformat())
    return dg.MaterializeResult(data_version=dg.DataVersion(version))


def content_version(rows: Sequence[Any]) -> str:
    """Return a digest of the rows' values, so that a sync without changes leaves downstream assets fresh."""
    return _digest(repr([_digestible(value) for value in dataclasses.astuple(row)]) for row in rows)


def _digest(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode())
    return digest.hexdigest()[:16]


def _digestible(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
