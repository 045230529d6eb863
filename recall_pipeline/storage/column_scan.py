"""Read some columns of a table for many days: footers and columns only, several days at once, and few in memory.

In a bucket a table below 64 KiB is one request, all columns included.

A file that cannot be read is the fault of its day alone, and is returned with that day.
"""

import itertools
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from recall_pipeline.errors import StorageError
from recall_pipeline.storage.archive import Archive
from recall_pipeline.storage.column_types import text_array
from recall_pipeline.storage.stored_tables import StoredColumns
from recall_pipeline.storage.tables import Table

_DAYS_AT_ONCE = 24  # requests in flight; more do not help, because one thread serves the connections
_DAYS_AT_ONCE_ON_DISK = 2
_DAYS_IN_A_PART = 96  # whose small tables are requested together: at most 6 MiB
T = TypeVar("T")


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
    For many days use `stream_days`, whose memory does not grow.

    Raises StorageError if the storage itself does not answer: every day fails with an error that a retry can resolve.
    """
    return dict(stream_days(archive, table, days, *names, where=where))


def stream_days(
    archive: Archive,
    table: Table[Any],
    days: Iterable[date],
    *names: str,
    where: tuple[str, Collection[str]] | None = None,
) -> Iterator[tuple[date, ScannedDay]]:
    """Yield what `scan_days` returns, in the order of `days`; a few days are read ahead.

    Raises StorageError behind the last day if the storage itself did not answer for any.
    """
    if where and archive.is_local and table.has_one_file:
        days = _days_with(archive, table, days, *where)
    errors: list[StorageError | None] = []
    left = iter(days)
    while part := list(itertools.islice(left, _DAYS_IN_A_PART)):
        for day, scanned in zip(part, _scanned(archive, table, part, names, where), strict=True):
            errors.append(scanned.error)
            yield day, scanned
    raise_if_storage_is_down(errors)


def stream_tables(
    archive: Archive,
    days: Iterable[date],
    columns: Mapping[Table[Any], Sequence[str]],
    stored: Mapping[str, Collection[date]] | None = None,
) -> Iterator[tuple[date, Mapping[str, ScannedDay]]]:
    """Yield each of `days` with the columns of several tables, by name; a few days are read ahead.

    `stored` names the days of each table, if they are listed already. A table that lacks the day is left out. Raises
    StorageError as `stream_days` does, for each table.
    """
    all_days = list(days)
    held = {table.name: set(stored[table.name] if stored else archive.days(table.name)) for table in columns}
    streams = {
        table.name: stream_days(archive, table, [day for day in all_days if day in held[table.name]], *names)
        for table, names in columns.items()
    }
    for day in all_days:
        yield day, {name: next(stream)[1] for name, stream in streams.items() if day in held[name]}
    for stream in streams.values():
        next(stream, None)  # raises if the storage did not answer


def _scanned(
    archive: Archive,
    table: Table[Any],
    days: Sequence[date],
    names: Sequence[str],
    where: tuple[str, Collection[str]] | None,
) -> Iterator[ScannedDay]:
    """Yield each day's columns. Until its turn a day is in memory as Arrow columns, a tenth of the values' size."""
    small = archive.read_small([table.key(day) for day in days])

    def load(day: date) -> Any:
        try:
            return table.load_rows(archive, day, *names, content=small.pop(table.key(day), None), where=where)
        except StorageError as error:
            return error

    at_once = _DAYS_AT_ONCE_ON_DISK if archive.is_local else _DAYS_AT_ONCE
    for day, loaded in zip(days, _in_turn(load, days, at_once), strict=True):
        try:
            if isinstance(loaded, StorageError):
                raise loaded
            yield ScannedDay(table.columns_in(archive, day, loaded, *names))
        except StorageError as error:
            yield ScannedDay(error=error)


def _in_turn(act: Callable[[date], T], days: Iterable[date], at_once: int) -> Iterator[T]:
    """Yield the result of `act` for each day; `at_once` days are being read or wait for their turn."""
    waiting: deque[Future[T]] = deque()
    with ThreadPoolExecutor(at_once) as threads:
        for day in days:
            if len(waiting) == at_once:
                yield waiting.popleft().result()
            waiting.append(threads.submit(act, day))
        while waiting:
            yield waiting.popleft().result()


def raise_if_storage_is_down(results: Collection[StorageError | None]) -> None:
    """Raise the first error if several reads failed, none succeeded, and a retry can help all of them."""
    errors = [error for error in results if error is not None and error.retry_can_help]
    if len(results) > 1 and len(errors) == len(results):
        raise errors[0]


def _days_with(
    archive: Archive, table: Table[Any], days: Iterable[date], name: str, accepted: Collection[str]
) -> Iterator[date]:
    """Yield the days of a local archive on which a row may have an accepted value, or the file cannot be read.

    One column is read, and no other is checked: three times as fast as `load_columns`, which reads these days then.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    values = text_array(accepted)

    def may_have(day: date) -> bool:
        try:
            with pq.ParquetFile(archive.local_path(table.key(day)), page_checksum_verification=True) as file:
                column = file.read(columns=[name], use_threads=False).column(name)
            return bool(pc.any(pc.is_in(column, value_set=values)).as_py())
        except FileNotFoundError:
            return False
        except (pa.ArrowException, OSError, ValueError, KeyError):  # the day says what is wrong with it
            return True

    for day, has_one in _in_turn(lambda day: (day, may_have(day)), days, _DAYS_AT_ONCE_ON_DISK):
        if has_one:
            yield day
