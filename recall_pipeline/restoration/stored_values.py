"""What the readable tables of a day state. The step that needs an unreadable one reports it."""

import contextlib
from typing import Any

from recall_pipeline.audit import erased_in
from recall_pipeline.catalog import CATALOG, CatalogRow, Outcome
from recall_pipeline.errors import TableUnreadable
from recall_pipeline.storage import ArchiveDay, Table


def stored_values(day: ArchiveDay, table: Table[Any], *names: str) -> list[tuple[Any, ...]]:
    """Return some columns of a table, a tuple per row; none if it is lost or unreadable. Raises StorageError."""
    try:
        return table.read_columns(day.archive, day.day, *names)
    except TableUnreadable:
        return []


def is_lost(day: ArchiveDay, table: Table[Any]) -> bool:
    """Whether a day lacks a table, which may be unreadable otherwise. Raises StorageError."""
    with contextlib.suppress(TableUnreadable):
        return table.facts(day.archive, day.day) is None
    return False


def cataloged_rows(day: ArchiveDay) -> list[CatalogRow]:
    """Return the rows of the catalog; none if it is lost or unreadable. Raises StorageError.

    A row that is redacted without an audit row is left out: its recording was too old to be downloaded.
    """
    try:
        rows = day.rows(CATALOG)
    except TableUnreadable:
        return []
    erased = erased_in(day).recordings
    return [row for row in rows if row.outcome != Outcome.FORGOTTEN or row.recording_id in erased]
