"""Parquet tables: a frozen dataclass defines the row, its fields define the columns and their types."""

import contextlib
import dataclasses
import functools
import types
import typing
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from recall_pipeline.errors import StorageError, TableMissing, TableNewer, TableUnreadable
from recall_pipeline.storage.archive import Archive
from recall_pipeline.storage.column_types import fits
from recall_pipeline.storage.layout import Layout, TableName

if TYPE_CHECKING:
    import pyarrow as pa

Row = TypeVar("Row")
_VERSION = "recall_pipeline.schema_version"
_DAY = "recall_pipeline.day"
_FACT_PREFIX = "recall_pipeline.fact."
_BATCH_ROWS = 1000


def column(description: str, *, default: Any = None, since: int = 1) -> Any:
    """Declare a column with its meaning and unit. Optional columns default to None.

    `since` is the schema version of the table that added it; files of an older version lack it.
    """
    return dataclasses.field(default=default, metadata={"description": description, "since": since})


@dataclass(frozen=True, slots=True)
class StoredTable(Generic[Row]):
    """The rows of a day's table, and what was noted about the day as a whole."""

    rows: list[Row]
    facts: dict[str, str]


@dataclass(frozen=True, slots=True)
class StoredColumns:
    """Some columns of a day's table, by name with a value per row, and what was noted about the day as a whole."""

    values: Mapping[str, Sequence[Any]]
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table(Generic[Row]):
    """A table with one Parquet file per day. `facts` about the day as a whole are stored in the file's metadata.

    A `part` is a second file in the same folder, for a writer that shares no lock with the first. Readers of the
    folder see one table.
    """

    name: TableName
    row: type[Row]
    version: int = 1
    part: str | None = None

    @property
    def columns(self) -> dict[str, tuple[str, str]]:
        """The type and description of each column, by name."""
        schema = self.schema()
        return {f.name: (str(f.type), (f.metadata or {})[b"description"].decode()) for f in schema}

    @property
    def since(self) -> dict[str, int]:
        """The schema version that added each column, by name."""
        return {f.name: f.metadata["since"] for f, _ in self._fields()}

    @property
    def defaults(self) -> dict[str, Any]:
        """The value of each column in a file that lacks it, by name; None for a required column, too."""
        return {f.name: f.default for f, _ in self._fields()}

    def key(self, day: date) -> str:
        """Return the key of the day's file."""
        return Layout.table(self.name, day, self.part)

    def schema(self) -> "pa.Schema":
        """Return the Parquet schema; descriptions are field metadata."""
        return _schema_of(typing.cast("Any", self.row), self.version)

    def read(self, archive: Archive, day: date) -> list[Row] | None:
        """Return the rows of `day`; None when the day has no table. Optional columns that it lacks read as None."""
        stored = self.load(archive, day)
        return stored.rows if stored else None

    def missing(self, archive: Archive, day: date) -> TableMissing:
        """Return the error that states that `day` has no table, and what to do."""
        return TableMissing(f"{archive.uri(self.key(day))} is not there: {cure_of_missing_table(day)}")

    def load(self, archive: Archive, day: date) -> "StoredTable[Row] | None":
        """Return the rows and facts of `day`, by one read; None when the day has no table. Raises StorageError."""
        file = self.file(archive, day)
        return None if file is None else StoredTable(file.rows(), _facts_in(file.content))

    def file(self, archive: Archive, day: date) -> "TableFile[Row] | None":
        """Return the file of `day`, read once for its columns and rows; None when the day has no table."""
        table = self._load(archive, day)
        return None if table is None else TableFile(self, archive, day, table)

    def rows_in(self, archive: Archive, day: date, table: "pa.Table") -> list[Row]:
        """Return the rows of a file's content; raises TableUnreadable if a required column or value is missing."""
        known = [f.name for f, _ in self._fields() if f.name in table.column_names]
        self._check_required(archive, day, table, self._required())
        self._check_types(archive, day, table.schema)
        with self._as_unreadable(archive, day):
            return [row for batch in table.select(known).to_batches(_BATCH_ROWS) for row in self._rows_of(batch)]

    def _rows_of(self, batch: "pa.RecordBatch") -> Iterator[Row]:
        """Yield the rows of a batch. Equal strings share one object, since some occur in thousands of rows."""
        texts: dict[str, str] = {}
        columns = [
            [texts.setdefault(value, value) if isinstance(value, str) else value for value in column.to_pylist()]
            for column in batch.columns
        ]
        names = batch.schema.names
        return (self.row(**dict(zip(names, values, strict=True))) for values in zip(*columns, strict=True))

    def read_columns(self, archive: Archive, day: date, *names: str) -> list[tuple[Any, ...]]:
        """Return some columns of `day`, one tuple per row; [] if the day has no table.

        Reads these columns only. An optional column that the file lacks has its default in every row. Raises
        TableUnreadable for a file that is not this table, StorageError if it cannot be read.
        """
        stored = self.load_columns(archive, day, *names)
        return [] if stored is None else list(zip(*(stored.values[name] for name in names), strict=True))

    def load_columns(
        self, archive: Archive, day: date, *names: str, content: bytes | None = None
    ) -> "StoredColumns | None":
        """Return some columns and the facts of `day`, as `read_columns` does; None when the day has no table.

        `content` is the whole file, if it has been read before.
        """
        table = self._load(archive, day, names, content)
        if table is None:
            return None
        return StoredColumns({name: self._values(archive, day, table, name) for name in names}, _facts_in(table))

    def _values(self, archive: Archive, day: date, table: "pa.Table", name: str) -> list[Any]:
        """Return the values of one column, in the type that is declared for it, if any is."""
        if name not in table.column_names:
            return [self.defaults.get(name)] * len(table)
        with self._as_unreadable(archive, day):
            stored, schema = table.column(name), self.schema()
            values: list[Any] = (_cast(stored, schema.field(name)) if name in schema.names else stored).to_pylist()
            return values

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
        import pyarrow as pa

        schema = self.schema()
        metadata = {f"{_FACT_PREFIX}{name}": value for name, value in (facts or {}).items()}
        metadata |= {_DAY: day.isoformat()} if day else {}
        all_rows = list(rows)
        columns = [pa.array([getattr(row, f.name) for row in all_rows], f.type) for f in schema]
        self.publish(
            archive, key, pa.table(columns, schema=schema.with_metadata({**(schema.metadata or {}), **metadata}))
        )

    def publish(self, archive: Archive, key: str, content: "pa.Table") -> None:
        """Replace one Parquet file by `content` in one atomic step. Raises StorageError."""
        import pyarrow.parquet as pq

        if missing := self._column_with_nulls(content):
            raise StorageError(f"cannot write {archive.uri(key)}: a row without {missing}")
        with archive.staged_file(suffix=".parquet") as staged:
            pq.write_table(content, staged, compression="zstd")
            archive.publish(staged, key)

    def is_current(self, content: "pa.Table") -> bool:
        """Return whether a file states the present schema version, and has every column in its declared type."""
        types_by_name = {field.name: str(field.type) for field in content.schema}
        has_columns = all(types_by_name.get(name) == kind for name, (kind, _) in self.columns.items())
        return has_columns and stored_version(content.schema) == self.version

    def upgraded(self, archive: Archive, day: date, key: str, content: "pa.Table") -> "pa.Table":
        """Return the content of a file of an older version in the present schema; columns that are not declared stay.

        A column that the file lacks has its default. Raises TableUnreadable if a required value is missing, or a
        column is of another type.
        """
        import pyarrow as pa

        self._check_required(archive, day, content, self._required(), key)
        schema = self.schema()
        with self._as_unreadable(archive, day, key):
            values = [
                _cast(content.column(field.name), field)
                if field.name in content.column_names
                else pa.array([self.defaults[field.name]] * len(content), field.type)
                for field in schema
            ]
        others = [field for field in content.schema if field.name not in schema.names]
        columns = [*values, *(content.column(field.name) for field in others)]
        present = pa.schema([*schema, *others]).with_metadata(
            {**(content.schema.metadata or {}), **(schema.metadata or {})}
        )
        return pa.table(columns, schema=present)

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

        needed = [*names, *([where[0]] if where else [])]
        stored = self._load(archive, day, needed)
        if stored is None:  # removed after the listing
            return schema.empty_table().select(names)
        shaped: dict[str, Any] = {"day": pa.array([day] * len(stored), pa.date32())}
        for name in dict.fromkeys(needed):
            kind = schema.field(name).type
            if name != "day":
                is_stored = name in stored.column_names
                with self._as_unreadable(archive, day):
                    shaped[name] = (
                        _cast(stored.column(name), schema.field(name)) if is_stored else pa.nulls(len(stored), kind)
                    )
        part = pa.table({name: shaped[name] for name in dict.fromkeys(needed)})
        if where:
            part = part.filter(pc.is_in(part.column(where[0]), value_set=pa.array(list(where[1]), pa.string())))
        return part.select(names).cast(pa.schema([schema.field(name) for name in names]))

    def _column_with_nulls(self, table: "pa.Table") -> str | None:
        """Return the name of a required column in which a value is missing; None if there is none."""
        needed = [f.name for f, hint in self._fields() if types.NoneType not in typing.get_args(hint)]
        return next((name for name in table.column_names if name in needed and table.column(name).null_count), None)

    def _required(self) -> list[str]:
        """Return the columns that every version of the table has: those without a default."""
        return [
            f.name for f, hint in self._fields() if types.NoneType not in typing.get_args(hint) and f.default is None
        ]

    def _check_required(
        self, archive: Archive, day: date, table: "pa.Table", names: Iterable[str], key: str | None = None
    ) -> None:
        """Raise TableUnreadable if one of `names` is not in the file, or a value of a required column is missing."""
        if missing := next((name for name in names if name not in table.column_names), None):
            raise self._unreadable(archive, day, f"it has no column {missing}", key)
        if missing := self._column_with_nulls(table):
            raise self._unreadable(archive, day, f"a row without {missing}", key)

    def _load(
        self, archive: Archive, day: date, columns: Sequence[str] | None = None, content: bytes | None = None
    ) -> "pa.Table | None":
        return self.load_file(archive, day, self.key(day), columns, content)

    def load_file(
        self,
        archive: Archive,
        day: date,
        key: str,
        columns: Sequence[str] | None = None,
        content: bytes | None = None,
    ) -> "pa.Table | None":
        """Return one file: all of it, or `columns` as far as it has them; None if there is none. Raises StorageError.

        `content` is the whole file where it was read before.
        """
        import pyarrow as pa

        if columns is not None and content is None:
            with contextlib.suppress(pa.ArrowException, OSError):  # damaged or replaced meanwhile: read it as a whole
                file = archive.open_file(key)
                if file is None:
                    return None
                with file:
                    return self._parsed(archive, day, key, file, columns)
        content = archive.read(key) if content is None else content
        if content is None:
            return None
        with self._as_unreadable(archive, day, key):
            return self._parsed(archive, day, key, pa.BufferReader(content), columns)

    def _parsed(self, archive: Archive, day: date, key: str, source: Any, columns: Sequence[str] | None) -> "pa.Table":
        import pyarrow.parquet as pq

        file = pq.ParquetFile(source)
        self._check_version(archive, key, file.schema_arrow)
        if columns is not None:
            self._check_types(archive, day, file.schema_arrow, key)
        stored_names = file.schema_arrow.names
        names = None if columns is None else [name for name in columns if name in stored_names]
        # Not read_table: its threads may release Python objects while the interpreter shuts down, which aborts
        # the process (a third of the runs on a busy machine, pyarrow 26).
        table = file.read(columns=names, use_threads=False)
        if columns is not None:
            missing = [name for name in self._required() if name not in stored_names]
            self._check_required(archive, day, table, missing, key)
        return table

    def _check_types(self, archive: Archive, day: date, stored: "pa.Schema", key: str | None = None) -> None:
        """Raise TableUnreadable if a column of the file, also one that is not read, is not of its declared kind."""
        for declared in self.schema():
            if declared.name in stored.names and not fits(stored.field(declared.name).type, declared.type):
                kind = stored.field(declared.name).type
                raise self._unreadable(archive, day, f"column {declared.name} is {kind}, not {declared.type}", key)

    def _check_version(self, archive: Archive, key: str, schema: "pa.Schema") -> None:
        """Raise TableNewer for a file with more columns than this version knows: writing it would drop them."""
        version = stored_version(schema)
        if version is not None and version > self.version:
            raise TableNewer(
                f"{archive.uri(key)} has schema version {version}, and this version of recall_pipeline reads "
                f"{self.name} up to version {self.version}: update recall_pipeline"
            )

    @contextlib.contextmanager
    def _as_unreadable(self, archive: Archive, day: date, key: str | None = None) -> Iterator[None]:
        """Raise TableUnreadable for what pyarrow raises on a damaged file or on a column of another type."""
        import pyarrow as pa

        try:
            yield
        except (pa.ArrowException, OSError, ValueError, TypeError) as error:
            raise self._unreadable(archive, day, " ".join(str(error).split()), key) from None

    def _unreadable(self, archive: Archive, day: date, reason: str, key: str | None = None) -> TableUnreadable:
        where = archive.uri(key or self.key(day))
        return TableUnreadable(
            f"{where} is not a readable Parquet file ({reason}): restore it from a backup, or move it away and sync"
        )

    def _fields(self) -> "tuple[tuple[dataclasses.Field[Any], Any], ...]":
        return _fields_of(typing.cast("Any", self.row))


@functools.cache
def _schema_of(row: Any, version: int) -> "pa.Schema":
    import pyarrow as pa

    fields = [
        pa.field(f.name, _arrow_type(hint), metadata={"description": str(f.metadata["description"])})
        for f, hint in _fields_of(row)
    ]
    return pa.schema(fields, metadata={_VERSION: str(version)})


@functools.cache
def _fields_of(row: Any) -> "tuple[tuple[dataclasses.Field[Any], Any], ...]":
    """Return the fields of a row with their types, whose text takes longer to evaluate than a small file to read."""
    hints = typing.get_type_hints(row)
    return tuple((f, hints[f.name]) for f in dataclasses.fields(row))


def stored_version(schema: "pa.Schema") -> int | None:
    """Return the schema version that a file states; None if it states none."""
    text = (schema.metadata or {}).get(_VERSION.encode(), b"").decode(errors="replace")
    return int(text) if text.isascii() and text.isdigit() else None


def _facts_in(table: "pa.Table") -> dict[str, str]:
    texts = {
        name.decode(errors="replace"): value.decode(errors="replace")
        for name, value in (table.schema.metadata or {}).items()
    }
    return {name.removeprefix(_FACT_PREFIX): value for name, value in texts.items() if name.startswith(_FACT_PREFIX)}


def _cast(stored: "pa.ChunkedArray[Any]", declared: "pa.Field[Any]") -> "pa.ChunkedArray[Any]":
    """Return a column in its declared type. Raises ArrowException or ValueError: a number is not a text."""
    import pyarrow as pa

    if pa.types.is_string(declared.type) and not (
        pa.types.is_string(stored.type) or pa.types.is_large_string(stored.type) or pa.types.is_dictionary(stored.type)
    ):
        raise ValueError(f"column {declared.name} is {stored.type}, not {declared.type}")
    return stored.cast(declared.type)


def cure_of_missing_table(day: date) -> str:
    """Return the next action where a table of `day` is not there."""
    return f"run recall-pipeline sync --from {day} --to {day}"


@dataclass(frozen=True, slots=True)
class TableFile(Generic[Row]):
    """The content of one day's file, whatever columns it has."""

    table: Table[Row]
    archive: Archive
    day: date
    content: "pa.Table"

    @property
    def columns(self) -> dict[str, str]:
        """Type by column, as the file has them."""
        return {field.name: str(field.type) for field in self.content.schema}

    @property
    def facts(self) -> dict[str, str]:
        """What was noted about the day as a whole."""
        return _facts_in(self.content)

    @property
    def version(self) -> int | None:
        """The schema version that the file states; None if it states none."""
        return stored_version(self.content.schema)

    @property
    def stated_day(self) -> str | None:
        """The day that the file states; None in a file that was written before it stated one."""
        text = (self.content.schema.metadata or {}).get(_DAY.encode())
        return None if text is None else text.decode(errors="replace")

    def rows(self) -> list[Row]:
        """Return the rows; raises StorageError for a row that lacks a required value."""
        return self.table.rows_in(self.archive, self.day, self.content)


def _arrow_type(hint: Any) -> "pa.DataType":
    """Return the Arrow type of a type hint. A TypedDict becomes a struct."""
    import pyarrow as pa

    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    (plain,) = (option for option in options if option is not types.NoneType)
    if typing.get_origin(plain) is list:
        (item,) = typing.get_args(plain)
        return pa.list_(pa.field("element", _arrow_type(item)))  # named as Parquet does, so that a file reads the same
    if typing.is_typeddict(plain):
        return pa.struct([(name, _arrow_type(kind)) for name, kind in typing.get_type_hints(plain).items()])
    kinds: dict[type, pa.DataType] = {
        str: pa.string(),
        int: pa.int64(),
        float: pa.float64(),
        bool: pa.bool_(),
        datetime: pa.timestamp("us", tz="UTC"),
    }
    return kinds[plain]
