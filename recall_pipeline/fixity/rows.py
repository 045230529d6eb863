"""The table `fixity`, one file for the whole archive, and its changes under one lock.

It is derived: without it, every file counts as not checked. Keys in it are relative, so that it stays valid after a
move of the archive. It has rows of stored files only, none of erased recordings.
"""

import contextlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from recall_pipeline.errors import TableNewer, TableUnreadable
from recall_pipeline.storage import Archive, Table, column

FIXITY_KEY = "fixity/fixity.parquet"
_LOCK = "fixity-table"


@dataclass(frozen=True, slots=True)
class FixityRow:
    """A stored file, and what was found when it was last read back."""

    key: str = column("The file, relative to the archive's root")
    kind: str = column("`original`, `normalized`, `older_version`, `table`, or `unreferenced`")
    day: date = column("The day of the file's partition")
    recording_id: str | None = column("Recall's id of the recording; null for a table")
    sha256: str | None = column("SHA-256 of the content when it was last found right, hex; null before")
    size_bytes: int | None = column("Size, bytes; null for a file that is missing")
    found_at: datetime = column("When a pass first found this content under this key, UTC")
    checked_at: datetime | None = column("When the file was last read back, UTC; null: not yet")
    result: str | None = column("`ok`, or the code of the damage (docs/damage.md); null: not read back yet")

    @property
    def is_damaged(self) -> bool:
        """Whether the last check found damage."""
        return self.result not in (None, OK)

    @property
    def since(self) -> datetime:
        """The moment from which the age of the file counts: its last check, else when it was found."""
        return self.checked_at or self.found_at


OK = "ok"
FIXITY = Table("fixity", FixityRow)


def read_fixity(archive: Archive) -> dict[str, FixityRow]:
    """Return the rows by key; none without a table. Raises StorageError."""
    content = FIXITY.load_file(archive, FIXITY_KEY)
    rows = [] if content is None else FIXITY.rows_in(archive, FIXITY_KEY, content)
    return {row.key: row for row in rows}


def read_fixity_columns(archive: Archive, *names: str) -> Iterator[tuple[object, ...]]:
    """Yield some columns of every row. Raises StorageError."""
    content = FIXITY.load_file(archive, FIXITY_KEY, names)
    if content is not None:
        yield from zip(*(content.column(name).to_pylist() for name in names), strict=True)


@contextlib.contextmanager
def fixity_table_locked(archive: Archive) -> Iterator[None]:
    """Hold the lock of the table: between reading and writing it, no other process of this host writes it."""
    with archive.exclusive_lock(_LOCK):
        yield


def write_fixity(archive: Archive, rows: Mapping[str, FixityRow]) -> None:
    """Replace the table in one atomic step; the caller holds its lock. Raises StorageError."""
    FIXITY.write_file(archive, FIXITY_KEY, [rows[key] for key in sorted(rows)])


def remove_fixity_rows(archive: Archive, recordings: Collection[str]) -> None:
    """Remove the rows of erased recordings at once. Raises StorageError.

    A damaged table is removed: it may have rows of them, and the next pass rebuilds it.
    """
    if not recordings or not archive.exists(FIXITY_KEY):
        return
    with fixity_table_locked(archive):
        try:
            FIXITY.remove_rows(archive, FIXITY_KEY, "recording_id", recordings)
        except TableNewer:
            raise
        except TableUnreadable:
            archive.remove(FIXITY_KEY)
