"""Schemas of tables: a frozen dataclass defines the row, its fields define the columns and their types."""

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NewType

from recall_pipeline.storage.column_types import is_text

if TYPE_CHECKING:
    import pyarrow as pa

Int8 = NewType("Int8", int)
"""An integer of one byte, -128 to 127."""
_VERSION = "recall_pipeline.schema_version"
_DAY = "recall_pipeline.day"
_FACT_PREFIX = "recall_pipeline.fact."


def column(description: str, *, default: Any = None, since: int = 1) -> Any:
    """Declare a column with its meaning and unit. Optional columns default to None.

    `since` is the schema version of the table that added it; files of an older version lack it.
    """
    return dataclasses.field(default=default, metadata={"description": description, "since": since})


@dataclass(frozen=True, slots=True)
class TableSchema:
    """The declared columns of the table `name`: those of the dataclass `row`, at schema version `version`."""

    name: str
    row: Any
    version: int

    def arrow(self) -> "pa.Schema":
        """Return the Parquet schema; descriptions are field metadata."""
        return _schema_of(self.row, self.version)

    def defaults(self) -> dict[str, Any]:
        """Return the value of each column in a file that lacks it, by name; None for a required column, too."""
        return {f.name: f.default for f, _ in _fields_of(self.row)}

    def since(self) -> dict[str, int]:
        """Return the schema version that added each column, by name."""
        return {f.name: f.metadata["since"] for f, _ in _fields_of(self.row)}

    def required(self) -> list[str]:
        """Return the columns that every version of the table has: those without a default."""
        return [f.name for f, _ in _fields_of(self.row) if f.name in _needed_in(self.row) and f.default is None]

    def column_with_nulls(self, content: "pa.Table") -> str | None:
        """Return the name of a column in which a value is missing that may not be; None if all are there."""
        needed = _needed_in(self.row)
        return next((name for name in content.column_names if name in needed and content.column(name).null_count), None)

    def is_stated_by(self, content: "pa.Table") -> bool:
        """Return whether a file states this schema version, and has every column in its declared type."""
        stored = {field.name: str(field.type) for field in content.schema}
        has_columns = all(stored.get(field.name) == str(field.type) for field in self.arrow())
        return has_columns and schema_version_in(content.schema) == self.version


def cast_column(stored: "pa.ChunkedArray[Any]", declared: "pa.Field[Any]") -> "pa.ChunkedArray[Any]":
    """Return a column in its declared type. Raises ArrowException or ValueError: a number is not a text."""
    import pyarrow as pa

    if pa.types.is_string(declared.type) and not (is_text(stored.type) or pa.types.is_dictionary(stored.type)):
        raise ValueError(f"column {declared.name} is {stored.type}, not {declared.type}")
    return stored if stored.type == declared.type else stored.cast(declared.type)


def file_metadata(facts: Mapping[str, str] | None, day: date | None) -> dict[str, str]:
    """Return what a file states besides its schema: facts about the day as a whole, and the day."""
    metadata = {f"{_FACT_PREFIX}{name}": value for name, value in (facts or {}).items()}
    return metadata | ({_DAY: day.isoformat()} if day else {})


def facts_in(schema: "pa.Schema") -> dict[str, str]:
    """Return the facts about the day that a file states."""
    texts = {
        name.decode(errors="replace"): value.decode(errors="replace") for name, value in (schema.metadata or {}).items()
    }
    return {name.removeprefix(_FACT_PREFIX): value for name, value in texts.items() if name.startswith(_FACT_PREFIX)}


def day_in(schema: "pa.Schema") -> str | None:
    """Return the day that a file states; None if it states none."""
    text = (schema.metadata or {}).get(_DAY.encode())
    return None if text is None else text.decode(errors="replace")


def schema_version_in(schema: "pa.Schema") -> int | None:
    """Return the schema version that a file states; None if it states none."""
    text = (schema.metadata or {}).get(_VERSION.encode(), b"").decode(errors="replace")
    return int(text) if text.isascii() and text.isdigit() else None


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


@functools.cache
def _needed_in(row: Any) -> frozenset[str]:
    """Return the columns in which every row has a value."""
    return frozenset(f.name for f, hint in _fields_of(row) if types.NoneType not in typing.get_args(hint))


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
        Int8: pa.int8(),
        bool: pa.bool_(),
        date: pa.date32(),
        datetime: pa.timestamp("us", tz="UTC"),
    }
    return kinds[plain]
