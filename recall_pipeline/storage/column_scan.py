"""Read some columns of a table for many days at once: footers and columns only, several days in parallel.

In a bucket a table below 64 KiB is one request, all columns included.

A file that cannot be read is the fault of its day alone, and is returned with that day.
"""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any

from recall_pipeline.errors import StorageError
from recall_pipeline.storage.archive import Archive
from recall_pipeline.storage.stored_tables import StoredColumns
from recall_pipeline.storage.tables import Table

_CONCURRENT_DAYS = 24  # requests in flight; more do not help, because one thread serves the connections


@dataclass(frozen=True, slots=True)
class ScannedDay:
    """The columns of one day's table, None if the day has no table; or `error`: why the table cannot be read."""

    stored: StoredColumns | None = None
    error: StorageError | None = None


def scan_days(
    archive: Archive,
    table: Table[Any],
    days: Collection[date],
    *names: str,
    where: tuple[str, Collection[str]] | None = None,
) -> Mapping[date, ScannedDay]:
    """Return the columns `names` of `table` for each of `days`, as `Table.load_columns` returns them.

    `where` is a column and its accepted values: only such rows become values, and a day without any may be left out.

    Raises StorageError if the storage itself does not answer: every day fails with an error that a retry can resolve.
    """

    if where and archive.is_local and table.has_one_file:
        days = _days_with(archive, table, days, *where)
    small = archive.read_small([table.key(day) for day in days])

    def scan(day: date) -> ScannedDay:
        try:
            content = small.get(table.key(day))
            return ScannedDay(table.load_columns(archive, day, *names, content=content, where=where))
        except StorageError as error:
            return ScannedDay(error=error)

    if not days:
        return {}
    with ThreadPoolExecutor(min(_CONCURRENT_DAYS, len(days))) as threads:
        scanned = dict(zip(days, threads.map(scan, days), strict=True))
    raise_if_storage_is_down([each.error for each in scanned.values()])
    return scanned


def raise_if_storage_is_down(results: Collection[StorageError | None]) -> None:
    """Raise the first error if several reads failed, none succeeded, and a retry can help all of them."""
    errors = [error for error in results if error is not None and error.retry_can_help]
    if len(results) > 1 and len(errors) == len(results):
        raise errors[0]


def _days_with(
    archive: Archive, table: Table[Any], days: Collection[date], name: str, accepted: Collection[str]
) -> Collection[date]:
    """Return the days of a local archive on which a row may have an accepted value, or the file cannot be read.

    One column is read, and no other is checked: three times as fast as `load_columns`, which reads these days then.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    values = pa.array(list(accepted), pa.string())

    def may_have(day: date) -> bool:
        try:
            with pq.ParquetFile(archive.local_path(table.key(day)), page_checksum_verification=True) as file:
                column = file.read(columns=[name], use_threads=False).column(name)
            return bool(pc.any(pc.is_in(column, value_set=values)).as_py())
        except FileNotFoundError:
            return False
        except (pa.ArrowException, OSError, ValueError, KeyError):  # the day says what is wrong with it
            return True

    return [day for day in days if may_have(day)]
