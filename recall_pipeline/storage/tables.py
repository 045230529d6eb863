"""Tables as parquet: a frozen dataclass is the row, its fields are the columns, their types are stated in the file."""

import dataclasses
import types
import typing
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from recall_pipeline.errors import StorageError
from recall_pipeline.storage.archive import Archive
from recall_pipeline.storage.layout import Layout, TableName

if TYPE_CHECKING:
    import pyarrow as pa

Row = TypeVar("Row")
_VERSION = "recall_pipeline.schema_version"
_FACT = "recall_pipeline.fact."
_BATCH_ROWS = 1000


def column(description: str, *, default: Any = None) -> Any:
    """Declare a column: what it holds, in which unit. Optional ones default to None."""
    return dataclasses.field(default=default, metadata={"description": description})


@dataclass(frozen=True, slots=True)
class Table(Generic[Row]):
    """One kind of table, a parquet file a day. `facts` about the day itself travel in the file's metadata.

    A `part` is a file of its own beside it, for a writer that has no lock in common with the others: whoever reads the
    folder finds one table.
    """

    name: TableName
    row: type[Row]
    version: int = 1
    part: str | None = None

    @property
    def columns(self) -> dict[str, tuple[str, str]]:
        """Return type and description by column, in order."""
        schema = self.schema()
        return {f.name: (str(f.type), (f.metadata or {})[b"description"].decode()) for f in schema}

    def key(self, day: date) -> str:
        """Return the key of the day's file."""
        return Layout.table(self.name, day, self.part)

    def schema(self) -> "pa.Schema":
        """Return the parquet schema; descriptions are field metadata."""
        import pyarrow as pa

        fields = [
            pa.field(f.name, _arrow_type(hint), metadata={"description": str(f.metadata["description"])})
            for f, hint in self._fields()
        ]
        return pa.schema(fields, metadata={_VERSION: str(self.version)})

    def read(self, archive: Archive, day: date) -> list[Row] | None:
        """Return the rows of `day`; None when the day has no table. Columns of another version read as None."""
        stored = self.stored(archive, day)
        return None if stored is None else stored.rows()

    def stored(self, archive: Archive, day: date) -> "StoredTable[Row] | None":
        """Return the file of `day`, read once for its columns, rows and facts; None when the day has no table."""
        table = self._load(archive, day)
        return None if table is None else StoredTable(self, archive, day, table)

    def rows_in(self, archive: Archive, day: date, table: "pa.Table") -> list[Row]:
        """Return the rows of a file's content; raises StorageError for a row that lacks a required value."""
        known = [f.name for f, _ in self._fields() if f.name in table.column_names]
        if lacking := self._lacking(table.select(known)):
            raise self._unreadable(archive, day, f"a row without {lacking}")
        return [row for batch in table.select(known).to_batches(_BATCH_ROWS) for row in self._rows_of(batch)]

    def _rows_of(self, batch: "pa.RecordBatch") -> Iterator[Row]:
        """Yield a batch's rows, equal texts kept once: an outcome or a recipe stands in thousands of rows."""
        texts: dict[str, str] = {}
        columns = [
            [texts.setdefault(value, value) if isinstance(value, str) else value for value in column.to_pylist()]
            for column in batch.columns
        ]
        names = batch.schema.names
        return (self.row(**dict(zip(names, values, strict=True))) for values in zip(*columns, strict=True))

    def read_columns(self, archive: Archive, day: date, *names: str) -> list[tuple[Any, ...]]:
        """Return some columns of `day` as tuples; nothing when the day has no table."""
        table = self._load(archive, day)
        return [] if table is None else list(zip(*(table.column(name).to_pylist() for name in names), strict=True))

    def facts(self, archive: Archive, day: date) -> dict[str, str] | None:
        """Return what was noted about the day as a whole, from the file's footer; None when there is no table."""
        table = self._load(archive, day, [])
        if table is None:
            return None
        texts = {name.decode(): value.decode() for name, value in (table.schema.metadata or {}).items()}
        return {name.removeprefix(_FACT): value for name, value in texts.items() if name.startswith(_FACT)}

    def stored_columns(self, archive: Archive, day: date) -> dict[str, str] | None:
        """Return type by column of the day's file as it is; None when there is none."""
        stored = self.stored(archive, day)
        return None if stored is None else stored.columns

    def write(self, archive: Archive, day: date, rows: Iterable[Row], facts: Mapping[str, str] | None = None) -> None:
        """Publish the rows of `day` as a whole, in place of those before."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = self.schema()
        noted = {f"{_FACT}{name}": value for name, value in (facts or {}).items()}
        held = list(rows)
        columns = [pa.array([getattr(row, f.name) for row in held], f.type) for f in schema]
        table = pa.table(columns, schema=schema.with_metadata({**(schema.metadata or {}), **noted}))
        if lacking := self._lacking(table):
            raise StorageError(f"cannot write {archive.uri(self.key(day))}: a row without {lacking}")
        with archive.scratch(suffix=".parquet") as written:
            pq.write_table(table, written, compression="zstd")
            archive.publish(written, self.key(day))

    def read_days(
        self,
        archive: Archive,
        first: date | None = None,
        last: date | None = None,
        *,
        columns: Sequence[str] | None = None,
        where: tuple[str, Collection[str]] | None = None,
    ) -> "pa.Table":
        """Return the days from `first` to `last` as one table with the column `day`, without opening any other.

        `columns` are all that is decoded; `where` names a column and the values of it that are wanted.
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
        """Return one day, in the shape of `schema` whatever version wrote it."""
        import pyarrow as pa
        import pyarrow.compute as pc

        needed = [*names, *([where[0]] if where else [])]
        stored = self._load(archive, day, needed)
        if stored is None:  # removed since it was listed
            return schema.empty_table().select(names)
        shaped: dict[str, Any] = {"day": pa.array([day] * len(stored), pa.date32())}
        for name in dict.fromkeys(needed):
            kind = schema.field(name).type
            if name != "day":
                known = name in stored.column_names
                shaped[name] = stored.column(name).cast(kind) if known else pa.nulls(len(stored), kind)
        part = pa.table({name: shaped[name] for name in dict.fromkeys(needed)})
        if where:
            part = part.filter(pc.is_in(part.column(where[0]), value_set=pa.array(list(where[1]), pa.string())))
        return part.select(names).cast(pa.schema([schema.field(name) for name in names]))

    def _lacking(self, table: "pa.Table") -> str | None:
        """Return the name of a column that every row has to have and one has not."""
        needed = [f.name for f, hint in self._fields() if types.NoneType not in typing.get_args(hint)]
        return next((name for name in table.column_names if name in needed and table.column(name).null_count), None)

    def _load(self, archive: Archive, day: date, columns: Sequence[str] | None = None) -> "pa.Table | None":
        import pyarrow as pa
        import pyarrow.parquet as pq

        content = archive.read(self.key(day))
        if content is None:
            return None
        try:
            file = pq.ParquetFile(pa.BufferReader(content))
            known = None if columns is None else [name for name in columns if name in file.schema_arrow.names]
            # Not read_table: its scanner's threads may still let go of Python objects while the interpreter ends,
            # which aborts the process (seen in a third of the runs of a busy machine, pyarrow 26).
            return file.read(columns=known, use_threads=False)
        except (pa.ArrowException, OSError) as fault:
            raise self._unreadable(archive, day, str(fault)) from None

    def _unreadable(self, archive: Archive, day: date, fault: str) -> StorageError:
        where = archive.uri(self.key(day))
        return StorageError(
            f"{where} is no readable parquet ({fault}): restore it from a backup, or move it away and sync"
        )

    def _fields(self) -> list[tuple["dataclasses.Field[Any]", Any]]:
        hints = typing.get_type_hints(self.row)
        return [(f, hints[f.name]) for f in dataclasses.fields(self.row)]  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class StoredTable(Generic[Row]):
    """The content of one day's file."""

    table: Table[Row]
    archive: Archive
    day: date
    content: "pa.Table"

    @property
    def columns(self) -> dict[str, str]:
        """Type by column, as the file has them."""
        return {field.name: str(field.type) for field in self.content.schema}

    def rows(self) -> list[Row]:
        """Return the rows; raises StorageError for a row that lacks a required value."""
        return self.table.rows_in(self.archive, self.day, self.content)


def _arrow_type(hint: Any) -> "pa.DataType":
    """Return the type of a column; a list of a TypedDict is a list of structs, for rows that hold rows."""
    import pyarrow as pa

    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    (plain,) = (option for option in options if option is not types.NoneType)
    if typing.get_origin(plain) is list:
        (row,) = typing.get_args(plain)
        return pa.list_(pa.struct([(name, _arrow_type(kind)) for name, kind in typing.get_type_hints(row).items()]))
    kinds: dict[type, pa.DataType] = {
        str: pa.string(),
        int: pa.int64(),
        float: pa.float64(),
        bool: pa.bool_(),
        datetime: pa.timestamp("us", tz="UTC"),
    }
    return kinds[plain]
