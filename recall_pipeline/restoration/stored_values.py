"""What the readable tables of a day state. The step that needs an unreadable one reports it."""

import contextlib
from collections.abc import Iterator
from typing import Any

from recall_pipeline.audit import erased_in
from recall_pipeline.catalog import CATALOG, CatalogRow, Outcome
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import ArchiveDay, Table


def stored_values(day: ArchiveDay, table: Table[Any], *names: str) -> list[tuple[Any, ...]]:
    """Return some columns of a table, a tuple per row; none if it is lost or unreadable. Raises StorageError."""
    with _unreadable_passed_over():
        return table.read_columns(day.archive, day.day, *names)
    return []


def is_lost(day: ArchiveDay, table: Table[Any]) -> bool:
    """Whether a day lacks a table, which may be unreadable otherwise. Raises StorageError."""
    with _unreadable_passed_over():
        return table.facts(day.archive, day.day) is None
    return False


def is_unreadable(day: ArchiveDay, table: Table[Any]) -> bool:
    """Whether a day has a table that cannot be read. Raises StorageError."""
    with _unreadable_passed_over():
        day.stored(table)
        return False
    return True


def cataloged_rows(day: ArchiveDay) -> list[CatalogRow]:
    """Return the rows of the catalog; none if it is lost or unreadable. Raises StorageError.

    A row that is redacted without an audit row is left out: its recording was too old to be downloaded.
    """
    erased = erased_in(day).recordings
    with _unreadable_passed_over():
        return [row for row in day.rows(CATALOG) if row.outcome != Outcome.FORGOTTEN or row.recording_id in erased]
    return []


@contextlib.contextmanager
def _unreadable_passed_over() -> Iterator[None]:
    """Pass over a table that is damaged, a folder, or forbidden; raise StorageError if a retry can help."""
    try:
        yield
    except StorageError as error:
        if error.retry_can_help:
            raise
