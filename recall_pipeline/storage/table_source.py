"""Read one Parquet file of a table, and check its content against the schema of the table."""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recall_pipeline.errors import TableNewer, TableUnreadable
from recall_pipeline.storage.archive import Archive
from recall_pipeline.storage.column_types import fits, text_array
from recall_pipeline.storage.table_schema import TableSchema, cast_column, schema_version_in

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 1000
_ROWS_OF_A_FILE_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class TableSource:
    """The file `key` of `archive`, which holds rows of a table with `schema`; `cure`: what to do if it is damaged.

    Its methods raise TableUnreadable for content that does not fit the schema, TableNewer for content of a newer
    schema version, and StorageError if the storage does not answer.
    """

    archive: Archive
    key: str
    schema: TableSchema
    cure: str

    def load(self, columns: Sequence[str] | None = None, content: bytes | None = None) -> "pa.Table | None":
        """Return the file: all of it, or `columns` as far as it has them; None if there is no file.

        `content` is the whole file, if it has been read before.
        """
        import pyarrow as pa

        if columns is not None and content is None:
            with contextlib.suppress(*_damage_errors()):  # damaged or replaced meanwhile: read it as a whole
                file = self.archive.open_file(self.key)
                if file is None:
                    return None
                with file:
                    return self._parsed(file, columns)
        content = self.archive.read(self.key) if content is None else content
        if content is None:
            return None
        with self._as_unreadable():
            return self._parsed(pa.BufferReader(content), columns)

    def batches(self, columns: list[str] | None = None) -> "Iterator[pa.RecordBatch]":
        """Yield the rows of the file, or some of its columns, thousands of rows at a time; none without a file."""
        import pyarrow.parquet as pq

        file = self.archive.open_file(self.key)
        if file is None:
            return
        with file, self._as_unreadable():
            parquet = pq.ParquetFile(file, page_checksum_verification=True)
            self._check_version(parquet.schema_arrow)
            if missing := next((name for name in columns or () if name not in parquet.schema_arrow.names), None):
                raise self._unreadable(f"it has no column {missing}")
            yield from parquet.iter_batches(_ROWS_OF_A_FILE_AT_ONCE, columns=columns, use_threads=False)

    def rows(self, content: "pa.Table") -> list[Any]:
        """Return the rows of loaded content in declared types. Optional columns that it lacks have their default."""
        import pyarrow as pa

        declared = [field for field in self.schema.arrow() if field.name in content.column_names]
        self._check_required(content, self.schema.required())
        self._check_types(content.schema)
        with self._as_unreadable():
            columns = [cast_column(content.column(field.name), field) for field in declared]
            present = pa.table(columns, schema=pa.schema(declared))
            return [row for batch in present.to_batches(_BATCH_ROWS) for row in self._rows_of(batch)]

    def values(self, content: "pa.Table", name: str) -> list[Any]:
        """Return the values of one column; each is the default if the content lacks the column."""
        if name not in content.column_names:
            return [self.schema.defaults().get(name)] * len(content)
        with self._as_unreadable():
            stored, declared = content.column(name), self.schema.arrow()
            is_declared = name in declared.names
            values: list[Any] = (cast_column(stored, declared.field(name)) if is_declared else stored).to_pylist()
            return values

    def rows_where(self, content: "pa.Table", name: str, accepted: Collection[str]) -> "pa.Table":
        """Return the content of rows with an accepted value in a column; of none if the content lacks the column."""
        import pyarrow.compute as pc

        if name not in content.column_names:
            return content.slice(0, 0)
        with self._as_unreadable():
            stored = cast_column(content.column(name), self.schema.arrow().field(name))
            return content.filter(pc.is_in(stored, value_set=text_array(accepted)))

    def column(self, content: "pa.Table", declared: "pa.Field[Any]") -> Any:
        """Return one column in its declared type, as an Arrow array; nulls if the content lacks it."""
        import pyarrow as pa

        if declared.name not in content.column_names:
            return pa.nulls(len(content), declared.type)
        with self._as_unreadable():
            return cast_column(content.column(declared.name), declared)

    def upgraded(self, content: "pa.Table") -> "pa.Table":
        """Return content of an older version in the present schema; columns that are not declared stay.

        A column that the content lacks has its default.
        """
        import pyarrow as pa

        self._check_required(content, self.schema.required())
        declared, defaults = self.schema.arrow(), self.schema.defaults()
        with self._as_unreadable():
            values = [
                cast_column(content.column(field.name), field)
                if field.name in content.column_names
                else pa.array([defaults[field.name]] * len(content), field.type)
                for field in declared
            ]
        others = [field for field in content.schema if field.name not in declared.names]
        metadata = {**(content.schema.metadata or {}), **(declared.metadata or {})}
        present = pa.schema([*declared, *others]).with_metadata(metadata)
        return pa.table([*values, *(content.column(field.name) for field in others)], schema=present)

    def _rows_of(self, batch: "pa.RecordBatch") -> Iterator[Any]:
        """Yield the rows of a batch. Equal strings share one object, since some occur in thousands of rows."""
        texts: dict[str, str] = {}
        columns = [
            [texts.setdefault(value, value) if isinstance(value, str) else value for value in column.to_pylist()]
            for column in batch.columns
        ]
        names = batch.schema.names
        return (self.schema.row(**dict(zip(names, values, strict=True))) for values in zip(*columns, strict=True))

    def _parsed(self, source: Any, columns: Sequence[str] | None) -> "pa.Table":
        import pyarrow.parquet as pq

        file = pq.ParquetFile(source, page_checksum_verification=True)
        stored = file.schema_arrow  # which each access builds again
        self._check_version(stored)
        if columns is not None:
            self._check_types(stored)
        names = None if columns is None else [name for name in columns if name in stored.names]
        # Not read_table: its threads may release Python objects while the interpreter shuts down, which aborts
        # the process (a third of the runs on a busy machine, pyarrow 26).
        content = file.read(columns=names, use_threads=False)
        if columns is not None:
            self._check_required(content, [name for name in self.schema.required() if name not in stored.names])
        return content

    def _check_version(self, stored: "pa.Schema") -> None:
        """Raise TableNewer for a file with more columns than this version knows: writing it would drop them."""
        version = schema_version_in(stored)
        if version is not None and version > self.schema.version:
            raise TableNewer(
                f"{self.archive.uri(self.key)} has schema version {version}, and this version of recall_pipeline "
                f"reads {self.schema.name} up to version {self.schema.version}: update recall_pipeline"
            )

    def _check_types(self, stored: "pa.Schema") -> None:
        """Raise TableUnreadable if a column of the file, also one that is not read, is not of its declared kind."""
        if stored.equals(self.schema.arrow()):
            return
        for declared in self.schema.arrow():
            if declared.name in stored.names and not fits(stored.field(declared.name).type, declared.type):
                kind = stored.field(declared.name).type
                raise self._unreadable(f"column {declared.name} is {kind}, not {declared.type}")

    def _check_required(self, content: "pa.Table", names: Iterable[str]) -> None:
        """Raise TableUnreadable if one of `names` is not in the content, or a value of a required column is missing."""
        if missing := next((name for name in names if name not in content.column_names), None):
            raise self._unreadable(f"it has no column {missing}")
        if missing := self.schema.column_with_nulls(content):
            raise self._unreadable(f"a row without {missing}")

    @contextlib.contextmanager
    def _as_unreadable(self) -> Iterator[None]:
        """Raise TableUnreadable for what pyarrow raises on a damaged file or on a column of another type."""
        try:
            yield
        except _damage_errors() as error:
            raise self._unreadable(" ".join(str(error).split())) from None

    def _unreadable(self, reason: str) -> TableUnreadable:
        return TableUnreadable(f"{self.archive.uri(self.key)} is not a readable Parquet file ({reason}): {self.cure}")


def _damage_errors() -> tuple[type[Exception], ...]:
    """Return what pyarrow raises on a damaged file: also for a name that is not UTF-8, or a moment without a date."""
    import pyarrow as pa

    return pa.ArrowException, OSError, ValueError, TypeError, OverflowError
