"""One day of the archive, opened once by a step: its lock is held, and each of its tables is read at most once."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from recall_pipeline.errors import StorageError
from recall_pipeline.storage.archive import Archive
from recall_pipeline.storage.stored_tables import StoredTable
from recall_pipeline.storage.tables import Table

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class ArchiveDay:
    """A day's tables while its lock is held. Neighbouring days are read, and never written.

    Every method raises StorageError when a table cannot be read or written.
    """

    archive: Archive
    day: date
    _stored: dict[str, StoredTable[Any] | None] = field(default_factory=dict)

    def stored(self, table: Table[Row], day: date | None = None) -> StoredTable[Row] | None:
        """Return a table as it was when it was first read or last written here; None when there is no table."""
        key = table.key(day or self.day)
        if key not in self._stored:
            self._stored[key] = table.load(self.archive, day or self.day)
        return self._stored[key]

    def rows(self, table: Table[Row], day: date | None = None) -> Sequence[Row]:
        """Return the rows of a table; none when there is no table, or when that of a neighbouring day is unreadable."""
        try:
            stored = self.stored(table, day)
        except StorageError as error:
            if day in (None, self.day) or error.retry_can_help:
                raise
            return ()  # a sync of that day reports it
        return stored.rows if stored else ()

    def require(self, table: Table[Row]) -> StoredTable[Row]:
        """Return a table; raise TableMissing when there is none, which is not the same as an empty one."""
        stored = self.stored(table)
        if stored is None:
            raise table.missing(self.archive, self.day)
        return stored

    def take(self, table: Table[Row]) -> StoredTable[Row]:
        """Return a table as `require` does, and keep none of it here: the caller frees its rows as it uses them."""
        taken = self.require(table)
        del self._stored[table.key(self.day)]
        return taken

    def write(self, table: Table[Row], rows: Iterable[Row], facts: Mapping[str, str] | None = None) -> None:
        """Publish the rows of a table in place of those before."""
        stored = StoredTable(list(rows), dict(facts or {}))
        table.write(self.archive, self.day, stored.rows, stored.facts)
        self._stored[table.key(self.day)] = stored

    def amend(self, table: Table[Row], rows: Iterable[Row]) -> None:
        """Let a table be read with `rows` in place of its own; they are stored when it is written next."""
        stored = self.stored(table)
        self._stored[table.key(self.day)] = StoredTable(list(rows), stored.facts if stored else {})

    def read_again(self, table: Table[Row]) -> Sequence[Row]:
        """Return the rows of a table that another host may have written meanwhile."""
        self._stored.pop(table.key(self.day), None)
        return self.rows(table)


@contextlib.contextmanager
def open_day(archive: Archive, day: date) -> Iterator[ArchiveDay]:
    """Give a day with its lock held: other runs of the day on this host wait."""
    with archive.lock_day(day):
        yield ArchiveDay(archive, day)
