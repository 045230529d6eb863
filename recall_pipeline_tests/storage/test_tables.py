"""Tables are parquet with stated types, one hive table over all days (docs/design/interface.md, sections 3 and 4)."""

import dataclasses
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, TypedDict

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recall_pipeline.audit import AUDIT
from recall_pipeline.catalog import CATALOG
from recall_pipeline.discovery import BOTS, RECORDINGS
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.errors import StorageError, TableNewer, TableUnreadable
from recall_pipeline.settings import Settings
from recall_pipeline.storage import (
    Archive,
    Layout,
    StoredColumns,
    StoredTable,
    Table,
    column,
    open_archive,
    scan_days,
    tables,
)
from recall_pipeline_tests.storages import FOLDER_AND_BUCKET, stored
from recall_transcripts.rows import TRANSCRIPTS

DAY, NEXT_DAY = date(2026, 3, 2), date(2026, 3, 3)
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture(params=FOLDER_AND_BUCKET)
def storage_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@dataclass(frozen=True, slots=True)
class Row:
    """One column of each kind."""

    name: str = column("A text")
    count: int | None = column("A number, bytes")
    share: float | None = column("A number with a fraction")
    is_known: bool = column("Yes or no", default=False)
    at: datetime | None = column("A moment, UTC")


@dataclass(frozen=True, slots=True)
class LaterRow(Row):
    """What a later version adds."""

    added: str | None = column("Unknown before")


class Inner(TypedDict):
    """A row within a row."""

    name: str
    at_seconds: float


@dataclass(frozen=True, slots=True)
class RowOfRows:
    """A column that holds rows."""

    name: str = column("A text")
    inner: list[Inner] = column("Rows")


TABLE = Table("audio_catalog", Row)
TABLE_OF_ROWS = Table("audio_catalog", RowOfRows)
ROWS = [Row("a", 1, 0.5, True, NINE), Row("b", None, None, False, None)]


def file_of(archive: Archive, day: date = DAY) -> bytes:
    """The table's file as it is stored."""
    return stored(archive.location.root)[Layout.table("audio_catalog", day)]


def overwrite(archive: Archive, content: bytes, day: date = DAY) -> None:
    """Put something else in the place of the table's file."""
    with archive.staged_file() as written:
        written.write_bytes(content)
        archive.publish(written, Layout.table("audio_catalog", day))


@pytest.fixture
def filled(archive: Archive) -> Archive:
    """An archive with two days of the table, one of them without any row that tells a type."""
    TABLE.write(archive, DAY, ROWS)
    TABLE.write(archive, NEXT_DAY, [Row("c"), Row("d")])
    return archive


@pytest.fixture
def folder(folder_url: str) -> Path:
    """The table's folder in a filled archive on disk."""
    on_disk = open_archive(Settings(storage_url=folder_url))
    TABLE.write(on_disk, DAY, ROWS)
    TABLE.write(on_disk, NEXT_DAY, [Row("c"), Row("d")])
    return on_disk.local_path("audio_catalog")


class TestRoundTrip:
    def test_rows_are_read_back_unchanged(self, archive: Archive) -> None:
        TABLE.write(archive, DAY, ROWS)
        assert TABLE.read(archive, DAY) == ROWS

    def test_a_day_without_rows_is_not_a_day_without_a_table(self, archive: Archive) -> None:
        TABLE.write(archive, DAY, [])
        assert TABLE.read(archive, DAY) == []
        assert TABLE.read(archive, NEXT_DAY) is None

    def test_writing_replaces_the_whole_day(self, archive: Archive) -> None:
        TABLE.write(archive, DAY, ROWS)
        TABLE.write(archive, DAY, [Row("c")])
        assert TABLE.read(archive, DAY) == [Row("c")]

    def test_a_table_of_several_groups_of_rows_is_read_back_unchanged_with_its_facts(
        self, archive: Archive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tables, "_GROUP_ROWS", 2)
        rows = [Row(str(number), number) for number in range(5)]
        TABLE.write(archive, DAY, rows, {"listed_at": "then"})
        assert pq.ParquetFile(pa.BufferReader(file_of(archive))).num_row_groups == 3
        assert TABLE.load(archive, DAY) == StoredTable(rows, {"listed_at": "then"})
        assert TABLE.load_columns(archive, DAY, "count") == StoredColumns(
            {"count": [0, 1, 2, 3, 4]}, {"listed_at": "then"}
        )

    def test_a_timestamp_is_read_back_in_utc_to_the_microsecond(self, archive: Archive) -> None:
        elsewhere = datetime(2026, 3, 2, 10, 0, 0, 123456, tzinfo=timezone(timedelta(hours=1)))
        TABLE.write(archive, DAY, [Row("a", at=elsewhere)])
        ((read),) = TABLE.read(archive, DAY) or []
        assert read.at == elsewhere
        assert read.at is not None
        assert read.at.utcoffset() == timedelta(0)

    def test_nested_rows_are_read_back_unchanged(self, archive: Archive) -> None:
        rows = [RowOfRows("a", [{"name": "x", "at_seconds": 0.5}, {"name": "", "at_seconds": 0.0}]), RowOfRows("b", [])]
        TABLE_OF_ROWS.write(archive, DAY, rows)
        assert TABLE_OF_ROWS.read(archive, DAY) == rows
        assert TABLE_OF_ROWS.read_days(archive).column("inner").to_pylist() == [row.inner for row in rows]

    @pytest.mark.parametrize("text", ["", "議事録 📼", "a\nb\x00c", "x" * 100_000])
    def test_every_text_is_read_back_unchanged(self, text: str, archive: Archive) -> None:
        TABLE.write(archive, DAY, [Row(text)])
        assert TABLE.read(archive, DAY) == [Row(text)]

    def test_a_failed_write_leaves_the_day_unchanged(self, archive: Archive) -> None:
        TABLE.write(archive, DAY, ROWS)
        wrong: Any = [Row("c", count="not a number")]  # type: ignore[arg-type]
        with pytest.raises(Exception, match="tried to convert to int64"):
            TABLE.write(archive, DAY, wrong)
        assert TABLE.read(archive, DAY) == ROWS
        assert not archive.staging_folder.exists() or list(archive.staging_folder.iterdir()) == []


class TestRemovedRows:
    def test_rows_with_a_value_are_removed_and_the_others_stay_with_what_the_file_states(
        self, archive: Archive
    ) -> None:
        rows = [Row(f"row {number}", number) for number in range(20_002)]  # more than are in memory at once
        TABLE.write(archive, DAY, rows, {"listed_at": "nine"})
        TABLE.remove_rows(archive, TABLE.key(DAY), "name", ["row 0", "row 15000", "row 20001", "unknown"])
        assert TABLE.read(archive, DAY) == [*rows[1:15_000], *rows[15_001:20_001]]
        assert TABLE.facts(archive, DAY) == {"listed_at": "nine"}
        assert (file := TABLE.file(archive, DAY))
        assert TABLE.is_current(file.content)

    def test_a_file_without_such_rows_is_not_written(self, archive: Archive) -> None:
        TABLE.write(archive, DAY, ROWS)
        before = archive.version(TABLE.key(DAY))
        TABLE.remove_rows(archive, TABLE.key(DAY), "name", ["unknown"])
        TABLE.remove_rows(archive, TABLE.key(NEXT_DAY), "name", ["a"])
        assert archive.version(TABLE.key(DAY)) == before

    @pytest.mark.parametrize("name", ["name", "lost"])
    def test_a_file_that_is_not_the_table_is_not_written(self, archive: Archive, name: str) -> None:
        overwrite(archive, b"damaged") if name == "name" else TABLE.write(archive, DAY, ROWS)
        with pytest.raises(TableUnreadable, match="it has no column lost" if name == "lost" else "not a readable"):
            TABLE.remove_rows(archive, TABLE.key(DAY), name, ["a"])


class TestOtherPrograms:
    """Other programs store the same values in other types, such as pandas the integers of a column with gaps."""

    @pytest.mark.parametrize(
        ("column", "kind"),
        [
            ("name", pa.large_string()),
            ("name", pa.string_view()),
            ("name", pa.dictionary(pa.int32(), pa.string())),
            ("count", pa.float64()),
            ("count", pa.int32()),
            ("at", pa.timestamp("ns", "UTC")),
            ("at", pa.timestamp("us")),
            ("at", pa.timestamp("us", "Europe/Berlin")),
        ],
        ids=str,
    )
    def test_a_column_of_the_same_kind_reads_in_its_declared_type(
        self, column: str, kind: Any, archive: Archive
    ) -> None:
        rewrite(archive, column, kind)
        rows = TABLE.read(archive, DAY)
        assert rows == ROWS
        assert [type(row.count) for row in rows] == [int, type(None)]
        stored = TABLE.load_file(archive, TABLE.key(DAY))
        assert stored is not None
        assert (
            TABLE.upgraded(archive, TABLE.key(DAY), stored).schema.field(column).type
            == TABLE.schema().field(column).type
        )

    def test_a_fraction_is_not_read_as_an_integer(self, archive: Archive) -> None:
        rewrite(archive, "count", pa.float64(), pa.array([1.5, None]))
        with pytest.raises(TableUnreadable, match="truncated"):
            TABLE.read(archive, DAY)

    @pytest.mark.parametrize(
        ("column", "values"),
        [
            ("at", pa.array([2**62, None]).cast(pa.timestamp("us", "UTC"))),
            ("name", pa.array([b"\xe9t", b"b"]).view(pa.string())),
        ],
        ids=["a moment after the year 9999", "a text that is not UTF-8"],
    )
    def test_a_value_that_flipped_bits_made_impossible_is_the_fault_of_its_file(
        self, column: str, values: Any, archive: Archive
    ) -> None:
        rewrite(archive, column, None, values)
        for read in (lambda: TABLE.read(archive, DAY), lambda: TABLE.read_columns(archive, DAY, column)):
            with pytest.raises(TableUnreadable, match="is not a readable Parquet file"):
                read()

    def test_a_column_name_that_is_not_utf_8_is_the_fault_of_its_file(self, archive: Archive) -> None:
        with archive.staged_file(suffix=".parquet") as staged:
            pq.write_table(TABLE.content(ROWS).append_column("zzzz", pa.array([1, 2])), staged, store_schema=False)
            staged.write_bytes(staged.read_bytes().replace(b"zzzz", b"\xff\xff\xff\xff"))
            archive.publish(staged, TABLE.key(DAY))
        for read in (lambda: TABLE.read(archive, DAY), lambda: TABLE.read_columns(archive, DAY, "name")):
            with pytest.raises(TableUnreadable, match="is not a readable Parquet file"):
                read()


def rewrite(archive: Archive, column: str, kind: Any, values: Any = None) -> None:
    """Store the rows with a column of another type."""
    content = TABLE.content(ROWS)
    number = content.schema.get_field_index(column)
    column_values = content.column(number).cast(kind) if values is None else values
    with archive.staged_file(suffix=".parquet") as staged:
        pq.write_table(content.set_column(number, column, column_values), staged)
        archive.publish(staged, TABLE.key(DAY))


class TestVersions:
    def test_a_column_missing_in_an_older_file_reads_as_none(self, archive: Archive) -> None:
        TABLE.write(archive, DAY, ROWS)
        read = Table("audio_catalog", LaterRow, version=2).read(archive, DAY) or []
        assert [row.added for row in read] == [None, None]
        assert [row.name for row in read] == ["a", "b"]

    def test_a_newer_file_is_refused_by_every_reader_instead_of_losing_its_columns(self, archive: Archive) -> None:
        Table("audio_catalog", LaterRow, version=2).write(archive, DAY, [LaterRow("a", added="new")])
        for read in (
            lambda: TABLE.read(archive, DAY),
            lambda: TABLE.read_columns(archive, DAY, "name"),
            lambda: TABLE.facts(archive, DAY),
            lambda: TABLE.read_days(archive, columns=["name"]),
        ):
            with pytest.raises(
                TableNewer, match=r"schema version 2, and this .*up to version 1: update recall_pipeline"
            ):
                read()

    def test_a_newer_file_is_the_fault_of_its_day_alone(self, archive: Archive) -> None:
        Table("audio_catalog", LaterRow, version=2).write(archive, DAY, [LaterRow("a", added="new")])
        TABLE.write(archive, NEXT_DAY, [Row("b")])
        scanned = scan_days(archive, TABLE, [DAY, NEXT_DAY], "name")
        assert isinstance(scanned[DAY].error, TableNewer)
        assert scanned[NEXT_DAY].error is None

    @pytest.mark.parametrize(
        "table", [BOTS, RECORDINGS, MIXED_AUDIO, CATALOG, AUDIT, TRANSCRIPTS], ids=lambda t: t.name
    )
    def test_the_version_of_a_table_is_that_of_its_newest_column(self, table: Table[Any]) -> None:
        assert table.version == max(table.since.values())

    def test_the_file_states_its_version_and_its_columns_meaning(self, archive: Archive) -> None:
        TABLE.write(archive, DAY, ROWS)
        schema = pq.read_schema(pa.BufferReader(file_of(archive)))
        assert (schema.metadata or {})[b"recall_pipeline.schema_version"] == b"1"
        assert (schema.field("count").metadata or {})[b"description"] == b"A number, bytes"

    def test_columns_state_type_and_meaning_in_order(self) -> None:
        assert TABLE.columns == {
            "name": ("string", "A text"),
            "count": ("int64", "A number, bytes"),
            "share": ("double", "A number with a fraction"),
            "is_known": ("bool", "Yes or no"),
            "at": ("timestamp[us, tz=UTC]", "A moment, UTC"),
        }

    def test_the_stored_columns_can_be_compared_with_them(self, archive: Archive) -> None:
        TABLE.write(archive, DAY, ROWS)
        file = TABLE.file(archive, DAY)
        assert file
        assert file.columns == {name: kind for name, (kind, _) in TABLE.columns.items()}
        assert TABLE.file(archive, NEXT_DAY) is None


class TestFacts:
    def test_facts_about_a_day_are_in_the_files_footer(self, archive: Archive) -> None:
        TABLE.write(archive, DAY, ROWS, {"listed_at": "2026-03-03T00:00:00Z", "who": "Ünlü"})
        assert TABLE.facts(archive, DAY) == {"listed_at": "2026-03-03T00:00:00Z", "who": "Ünlü"}
        assert TABLE.read(archive, DAY) == ROWS

    def test_a_day_written_without_facts_has_no_facts(self, archive: Archive) -> None:
        TABLE.write(archive, DAY, ROWS)
        assert TABLE.facts(archive, DAY) == {}

    def test_a_day_without_a_table_differs_from_one_without_facts(self, archive: Archive) -> None:
        assert TABLE.facts(archive, DAY) is None


class TestUnreadable:
    @pytest.mark.parametrize("content", [b"", b"PAR1", b"not a parquet at all" * 20])
    def test_a_file_that_is_not_parquet_is_one_clear_line(self, content: bytes, archive: Archive) -> None:
        TABLE.write(archive, DAY, ROWS)
        overwrite(archive, content)
        for read in (TABLE.read, TABLE.facts):
            with pytest.raises(StorageError, match=r"audio_catalog\.parquet is not a readable .* \(.*\): restore it"):
                read(archive, DAY)

    def test_a_truncated_file_is_one_clear_line(self, archive: Archive) -> None:
        TABLE.write(archive, DAY, ROWS)
        overwrite(archive, file_of(archive)[:-20])
        with pytest.raises(StorageError, match="is not a readable Parquet file"):
            TABLE.read(archive, DAY)

    def test_a_stored_row_without_a_required_value_is_one_clear_line(self, archive: Archive) -> None:
        by_hand = pa.table({"name": pa.array([None, "b"], pa.string())})
        pq.write_table(by_hand, made := pa.BufferOutputStream())
        overwrite(archive, made.getvalue().to_pybytes())
        with pytest.raises(StorageError, match=r"is not a readable Parquet file \(a row without name\): restore it"):
            TABLE.read(archive, DAY)

    def test_a_row_without_a_required_value_is_not_written(self, archive: Archive) -> None:
        TABLE.write(archive, DAY, ROWS)
        with pytest.raises(StorageError, match=r"cannot write .*audio_catalog\.parquet: a row without name"):
            TABLE.write(archive, DAY, [Row(None)])  # type: ignore[arg-type]
        assert TABLE.read(archive, DAY) == ROWS


class TestOneHiveTable:
    def test_pandas_reads_all_days_with_the_column_day(self, filled: Archive) -> None:
        frame = pd.read_parquet(filled.uri("audio_catalog"))
        assert list(frame.columns) == [field.name for field in dataclasses.fields(Row)] + ["day"]
        assert sorted(frame["name"]) == ["a", "b", "c", "d"]
        assert sorted({str(day) for day in frame["day"]}) == ["2026-03-02", "2026-03-03"]
        assert str(frame["at"].dtype) == "datetime64[us, UTC]"

    def test_duckdb_reads_all_days_and_filters_by_day(self, folder: Path) -> None:
        with duckdb.connect() as connection:
            found = connection.execute(
                "SELECT name, count FROM read_parquet(?, hive_partitioning=true) WHERE day = '2026-03-02' ORDER BY 1",
                [f"{folder}/**/*.parquet"],
            ).fetchall()
        assert [name for name, _ in found] == ["a", "b"]

    def test_polars_reads_all_days_and_filters_by_day(self, folder: Path) -> None:
        lazy = pl.scan_parquet(f"{folder}/**/*.parquet", hive_partitioning=True)
        assert lazy.filter(pl.col("day") == NEXT_DAY).sort("name").collect()["name"].to_list() == ["c", "d"]

    @pytest.mark.usefixtures("filled")
    def test_reading_days_returns_the_requested_days_with_their_day(self, archive: Archive) -> None:
        everything = TABLE.read_days(archive).to_pylist()
        assert {(row["name"], row["day"]) for row in everything} == {
            ("a", DAY),
            ("b", DAY),
            ("c", NEXT_DAY),
            ("d", NEXT_DAY),
        }
        assert TABLE.read_days(archive, first=NEXT_DAY).num_rows == 2
        assert TABLE.read_days(archive, last=DAY)["name"].to_pylist() == ["a", "b"]

    @pytest.mark.usefixtures("filled")
    def test_reading_days_opens_no_file_of_another_day(self, archive: Archive) -> None:
        overwrite(archive, b"not a parquet", NEXT_DAY)
        assert TABLE.read_days(archive, DAY, DAY).num_rows == 2

    @pytest.mark.usefixtures("filled")
    def test_reading_days_returns_the_requested_columns_and_rows(self, archive: Archive) -> None:
        found = TABLE.read_days(archive, columns=["day"], where=("name", ["b", "c", "none of them"]))
        assert found.to_pydict() == {"day": [DAY, NEXT_DAY]}

    def test_reading_no_day_returns_no_rows_and_all_columns(self, archive: Archive) -> None:
        empty = TABLE.read_days(archive)
        assert empty.num_rows == 0
        assert empty.column_names == [*TABLE.columns, "day"]
