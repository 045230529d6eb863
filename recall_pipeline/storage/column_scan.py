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


def scan_days(archive: Archive, table: Table[Any], days: Collection[date], *names: str) -> Mapping[date, ScannedDay]:
    """Return the columns `names` of `table` for each of `days`, as `Table.load_columns` returns them.

    Raises StorageError if the storage itself does not answer: every day fails with an error that a retry can resolve.
    """

    small = archive.read_small([table.key(day) for day in days])

    def scan(day: date) -> ScannedDay:
        try:
            return ScannedDay(table.load_columns(archive, day, *names, content=small.get(table.key(day))))
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
