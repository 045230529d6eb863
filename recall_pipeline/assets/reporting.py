"""Metadata that one reads at a glance in the UI, the same for every asset."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import dagster as dg

from recall_pipeline.storage import Archive, Layout, Table

RECALL_API_POOL = "recall_api"
"""Steps that ask Recall.ai; dagster.yaml says how many may run at once."""


def table_facts(archive: Archive, table: Table[Any], day: date, row_count: int) -> dict[str, dg.MetadataValue]:
    """Return row count, column schema and place of a day's table."""
    columns = [
        dg.TableColumn(name, kind, description=description) for name, (kind, description) in table.columns.items()
    ]
    uri = archive.uri(Layout.table(table.name, day))
    return {
        "dagster/row_count": dg.MetadataValue.int(row_count),
        "dagster/column_schema": dg.MetadataValue.table_schema(dg.TableSchema(columns)),
        "table": dg.MetadataValue.path(uri) if uri.startswith("file://") else dg.MetadataValue.url(uri),
    }


def report(context: dg.AssetExecutionContext, day: date, facts: Mapping[str, dg.MetadataValue], **values: Any) -> None:
    """Attach facts and values to the materialization of one day; numbers become plots over days."""
    context.add_asset_metadata({**facts, **values}, partition_key=day.isoformat())
