"""What was read from the table of a day: its rows, some of its columns, or its file with whatever columns it has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from recall_pipeline.storage.archive import Archive
from recall_pipeline.storage.table_schema import day_in, facts_in, schema_version_in

if TYPE_CHECKING:
    import pyarrow as pa

    from recall_pipeline.storage.tables import Table

Row = TypeVar("Row")


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
class TableFile(Generic[Row]):
    """The content of one day's file, whatever columns it has."""

    table: "Table[Row]"
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
        return facts_in(self.content.schema)

    @property
    def version(self) -> int | None:
        """The schema version that the file states; None if it states none."""
        return schema_version_in(self.content.schema)

    @property
    def stated_day(self) -> str | None:
        """The day that the file states; None in a file that was written before it stated one."""
        return day_in(self.content.schema)

    def rows(self) -> list[Row]:
        """Return the rows; raises StorageError for a row that lacks a required value."""
        return self.table.rows_in(self.archive, self.day, self.content)
