"""Parquet tables with one file per day: read whole days, some columns, or many days; replace a day atomically."""

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from recall_pipeline.errors import StorageError, TableMissing
from recall_pipeline.storage.archive import Archive
from recall_pipeline.storage.column_types import text_array
from recall_pipeline.storage.layout import Layout, TableName
from recall_pipeline.storage.stored_tables import StoredColumns, StoredTable, TableFile
from recall_pipeline.storage.table_schema import TableSchema, facts_in, file_metadata
from recall_pipeline.storage.table_source import TableSource

if TYPE_CHECKING:
    import pyarrow as pa

Row = TypeVar("Row")
_GROUP_ROWS = 5_000  # to write rows takes several times their memory


@dataclass(frozen=True, slots=True)
class Table(Generic[Row]):
    """A table with one Parquet file per day. `facts` about the day as a whole are stored in the file's metadata.

    A `part` is a second file in the same folder, for a writer that shares no lock with the first. Readers of the
    folder see one table. What reads raises TableUnreadable and TableNewer, as `TableSource` does, and StorageError.
    """

    name: TableName
    row: type[Row]
    version: int = 1
    part: str | None = None
    has_one_file: ClassVar[bool] = True
    """Whether all rows of a day are in the file of its key."""
    cure: ClassVar[str] = "restore it from a backup, or move it away and sync"
    """What to do about a damaged file."""

    @property
    def columns(self) -> dict[str, tuple[str, str]]:
        """The type and description of each column, by name."""
        schema = self.schema()
        return {f.name: (str(f.type), (f.metadata or {})[b"description"].decode()) for f in schema}

    @property
    def since(self) -> dict[str, int]:
        """The schema version that added each column, by name."""
        return self._declared().since()

    @property
    def defaults(self) -> dict[str, Any]:
        """The value of each column in a file that lacks it, by name; None for a required column, too."""
        return self._declared().defaults()

    def key(self, day: date) -> str:
        """Return the key of the day's file."""
        return Layout.table(self.name, day, self.part)

    def schema(self) -> "pa.Schema":
        """Return the Parquet schema; descriptions are field metadata."""
        return self._declared().arrow()

    def read(self, archive: Archive, day: date) -> list[Row] | None:
        """Return the rows of `day`; None when the day has no table. Optional columns that it lacks read as None."""
        stored = self.load(archive, day)
        return stored.rows if stored else None

    def read_where(self, archive: Archive, day: date, name: str, accepted: Collection[str]) -> list[Row]:
        """Return the rows of `day` with an accepted value in the column `name`; none when the day has no table."""
        content, source = self._load(archive, day), self._source(archive, self.key(day))
        return [] if content is None else source.rows(source.rows_where(content, name, accepted))

    def missing(self, archive: Archive, day: date) -> TableMissing:
        """Return the error that states that `day` has no table, and what to do."""
        return TableMissing(f"{archive.uri(self.key(day))} is not there: {cure_of_missing_table(day)}")

    def load(self, archive: Archive, day: date) -> "StoredTable[Row] | None":
        """Return the rows and facts of `day`, by one read; None when the day has no table. Raises StorageError."""
        file = self.file(archive, day)
        return None if file is None else StoredTable(file.rows(), file.facts)

    def file(self, archive: Archive, day: date) -> "TableFile[Row] | None":
        """Return the file of `day`, read once for its columns and rows; None when the day has no table."""
        content = self._load(archive, day)
        return None if content is None else TableFile(self, archive, day, content)

    def rows_in(self, archive: Archive, place: date | str, content: "pa.Table") -> list[Row]:
        """Return the rows of the content of a day's file, or of the file of that key.

        Raises TableUnreadable if a required column or value is missing.
        """
        return self._source(archive, place if isinstance(place, str) else self.key(place)).rows(content)

    def read_columns(self, archive: Archive, day: date, *names: str) -> list[tuple[Any, ...]]:
        """Return some columns of `day`, one tuple per row; [] if the day has no table.

        Reads these columns only. An optional column that the file lacks has its default in every row. Raises
        TableUnreadable for a file that is not this table, StorageError if it cannot be read.
        """
        stored = self.load_columns(archive, day, *names)
        return [] if stored is None else list(zip(*(stored.values[name] for name in names), strict=True))

    def load_columns(
        self,
        archive: Archive,
        day: date,
        *names: str,
        content: bytes | None = None,
        where: tuple[str, Collection[str]] | None = None,
    ) -> "StoredColumns | None":
        """Return some columns and the facts of `day`, as `read_columns` does; None when the day has no table.

        `content` is the whole file, if it has been read before. `where` is a column and its accepted values.
        """
        return self.columns_in(archive, day, self.load_rows(archive, day, *names, content=content, where=where), *names)

    def load_rows(
        self,
        archive: Archive,
        day: date,
        *names: str,
        content: bytes | None = None,
        where: tuple[str, Collection[str]] | None = None,
    ) -> "pa.Table | None":
        """Return what `load_columns` reads as Arrow columns, which take a tenth of the memory of their values."""
        loaded = self._load(archive, day, list(dict.fromkeys([*names, where[0]])) if where else names, content)
        return (
            self._source(archive, self.key(day)).rows_where(loaded, *where) if loaded is not None and where else loaded
        )

    def columns_in(self, archive: Archive, day: date, loaded: "pa.Table | None", *names: str) -> "StoredColumns | None":
        """Return the values of what `load_rows` returned. Raises TableUnreadable."""
        if loaded is None:
            return None
        source = self._source(archive, self.key(day))
        return StoredColumns({name: source.values(loaded, name) for name in names}, facts_in(loaded.schema))

    def facts(self, archive: Archive, day: date) -> dict[str, str] | None:
        """Return the facts about `day`, from the file's footer; None if the day has no table. Raises StorageError."""
        stored = self.load_columns(archive, day)
        return None if stored is None else dict(stored.facts)

    def write(self, archive: Archive, day: date, rows: Iterable[Row], facts: Mapping[str, str] | None = None) -> None:
        """Replace the table of `day` in one atomic step. Raises StorageError."""
        self.write_file(archive, self.key(day), rows, facts, day)

    def write_file(
        self,
        archive: Archive,
        key: str,
        rows: Iterable[Row],
        facts: Mapping[str, str] | None = None,
        day: date | None = None,
    ) -> None:
        """Replace one Parquet file in one atomic step; it states `day`, if given. Raises StorageError."""
        all_rows = list(rows)
        starts = range(0, max(1, len(all_rows)), _GROUP_ROWS)
        groups = (self.content(all_rows[start : start + _GROUP_ROWS], facts, day) for start in starts)
        self.publish_groups(archive, key, groups)

    def content(
        self, rows: Iterable[Row], facts: Mapping[str, str] | None = None, day: date | None = None
    ) -> "pa.Table":
        """Return the content of a file with these rows; it states `day`, if given."""
        import pyarrow as pa

        schema, all_rows = self.schema(), list(rows)
        columns = [pa.array([getattr(row, f.name) for row in all_rows], f.type) for f in schema]
        metadata: dict[Any, Any] = {**(schema.metadata or {}), **file_metadata(facts, day)}
        return pa.table(columns, schema=schema.with_metadata(metadata))

    def publish(self, archive: Archive, key: str, content: "pa.Table") -> None:
        """Replace one Parquet file by `content` in one atomic step. Raises StorageError."""
        self.publish_groups(archive, key, [content])

    def publish_groups(self, archive: Archive, key: str, groups: Iterable["pa.Table"]) -> None:
        """Replace one Parquet file by `groups`, one or more, in one atomic step. One of them at a time is in memory.

        Raises StorageError.
        """
        import pyarrow.parquet as pq

        left = iter(groups)
        first = next(left)
        with archive.staged_file(suffix=".parquet") as staged:
            with pq.ParquetWriter(staged, first.schema, compression="zstd", write_page_checksum=True) as writer:
                for group in itertools.chain([first], left):
                    if missing := self._declared().column_with_nulls(group):
                        raise StorageError(f"cannot write {archive.uri(key)}: a row without {missing}")
                    writer.write_table(group)
            archive.publish(staged, key)

    def remove_rows(self, archive: Archive, key: str, name: str, values: Collection[str]) -> None:
        """Remove the rows of one file that have one of `values` in the column `name`, some thousands of rows at a time.

        A file without such rows stays as it is. Raises StorageError.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        source, removed = self._source(archive, key), text_array(values)

        def is_removed(batch: pa.RecordBatch) -> pa.BooleanArray:
            return pc.is_in(batch.column(name), value_set=removed)

        if not any(pc.any(is_removed(batch)).as_py() for batch in source.batches([name])):
            return
        left = (batch.filter(pc.invert(is_removed(batch))) for batch in source.batches())
        self.publish_groups(archive, key, (pa.Table.from_batches([batch]) for batch in left))

    def is_current(self, content: "pa.Table") -> bool:
        """Return whether a file states the present schema version, and has every column in its declared type."""
        return self._declared().is_stated_by(content)

    def upgraded(self, archive: Archive, key: str, content: "pa.Table") -> "pa.Table":
        """Return the content of a file of an older version in the present schema; columns that are not declared stay.

        A column that the file lacks has its default. Raises TableUnreadable if a required value is missing, or a
        column is of another type.
        """
        return self._source(archive, key).upgraded(content)

    def load_file(self, archive: Archive, key: str, columns: Sequence[str] | None = None) -> "pa.Table | None":
        """Return one file: all of it, or `columns` as far as it has them; None if there is no such file."""
        return self._source(archive, key).load(columns)

    def read_days(
        self,
        archive: Archive,
        first: date | None = None,
        last: date | None = None,
        *,
        columns: Sequence[str] | None = None,
        where: tuple[str, Collection[str]] | None = None,
    ) -> "pa.Table":
        """Return the rows from `first` to `last` as one table with an added column `day`. Raises StorageError.

        Opens the files of these days only. `columns` limits the columns; `where` is a column and its accepted values.
        """
        import pyarrow as pa

        schema = self.schema().append(pa.field("day", pa.date32()))
        names = list(columns) if columns is not None else schema.names
        days = [d for d in archive.days(self.name) if (first is None or first <= d) and (last is None or d <= last)]
        parts = [self._part(archive, day, schema, names, where) for day in days]
        return pa.concat_tables([schema.empty_table().select(names), *parts])

    def _part(
        self,
        archive: Archive,
        day: date,
        schema: "pa.Schema",
        names: list[str],
        where: tuple[str, Collection[str]] | None,
    ) -> "pa.Table":
        """Return one day with the columns of `schema`, for a file of any version."""
        import pyarrow as pa
        import pyarrow.compute as pc

        needed = list(dict.fromkeys([*names, *([where[0]] if where else [])]))
        stored = self._load(archive, day, needed)
        if stored is None:  # removed after the listing
            return schema.empty_table().select(names)
        source, days = self._source(archive, self.key(day)), pa.array([day] * len(stored), pa.date32())
        part = pa.table({name: days if name == "day" else source.column(stored, schema.field(name)) for name in needed})
        if where:
            part = part.filter(pc.is_in(part.column(where[0]), value_set=text_array(where[1])))
        return part.select(names).cast(pa.schema([schema.field(name) for name in names]))

    def _load(
        self, archive: Archive, day: date, columns: Sequence[str] | None = None, content: bytes | None = None
    ) -> "pa.Table | None":
        return self._source(archive, self.key(day)).load(columns, content)

    def _source(self, archive: Archive, key: str) -> TableSource:
        return TableSource(archive, key, self._declared(), self.cure)

    def _declared(self) -> TableSchema:
        return TableSchema(self.name, self.row, self.version)


def cure_of_missing_table(day: date) -> str:
    """Return the next action where a table of `day` is not there."""
    return f"run recall-pipeline sync --from {day} --to {day}"
