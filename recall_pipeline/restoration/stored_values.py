"""What the readable tables of a day state. The step that needs an unreadable one reports it."""

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from recall_pipeline.audit import erased_in
from recall_pipeline.catalog import CATALOG, CatalogRow, Outcome
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import ArchiveDay, Table


class NamedMp3(NamedTuple):
    """What a row states about a recording and its MP3."""

    recording_id: str
    audio_id: str | None
    source_sha256: str | None


def named_in(day: ArchiveDay, table: Table[Any]) -> list[NamedMp3] | None:
    """Return what the rows of a table name; None if the day lacks it, none if it is unreadable. Raises StorageError."""
    with _skip_unreadable():
        stored = table.load_columns(day.archive, day.day, *NamedMp3._fields)
        return None if stored is None else list(map(NamedMp3._make, zip(*stored.values.values(), strict=True)))
    return []


def is_unreadable(day: ArchiveDay, table: Table[Any]) -> bool:
    """Whether a day has a table that cannot be read. Raises StorageError."""
    with _skip_unreadable():
        day.stored(table)
        return False
    return True


def cataloged_rows(day: ArchiveDay) -> list[CatalogRow]:
    """Return the rows of the catalog; none if it is lost or unreadable. Raises StorageError.

    A row that is redacted without an audit row is left out: its recording was too old to be downloaded.
    """
    erased = erased_in(day).recordings
    with _skip_unreadable():
        return [row for row in day.rows(CATALOG) if row.outcome != Outcome.FORGOTTEN or row.recording_id in erased]
    return []


@contextlib.contextmanager
def _skip_unreadable() -> Iterator[None]:
    """Skip a table that is damaged, a folder, or forbidden; raise StorageError if a retry can help."""
    try:
        yield
    except StorageError as error:
        if error.retry_can_help:
            raise
