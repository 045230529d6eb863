"""Days and tables that are not there: a lost table is not an empty one, and an empty archive is not a verified one."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from recall_pipeline.days import ONE_DAY, days_between, utc_now
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import Archive, cure_of_missing_table
from recall_pipeline.verification.codes import Code
from recall_pipeline.verification.problems import Problem
from recall_pipeline.verification.referenced_files import TABLES


def expected_days(held: Sequence[date], first: date | None, last: date | None, earliest: date = date.min) -> list[date]:
    """Return the days that have to be there: from `first` to `last`, by default those of the archive, both included.

    `held` are all days of the archive, the oldest first. A day counts once it has ended; where only the present one is
    asked for, it counts. A day before `earliest`, the first one that a sync is meant for, counts only if requested.
    """
    yesterday = utc_now().date() - ONE_DAY
    counted = [day for day in held if day >= earliest]
    start, end = first or next(iter(counted), last), last or next(reversed(counted), first)
    if start is None or end is None:
        return []
    days = list(days_between(min(start, last or start), max(end, first or end)))
    ended = [day for day in days if day <= yesterday]
    return ended if ended or not (first or last) else days


def absent(archive: Archive, days: Iterable[date], first_partition: date = date.min) -> Iterator[Problem]:
    """Yield each of `days` without any table, and each table that one lacks.

    The present day may lack some: a sync of it may be under way. A sync refuses days before `first_partition`.
    Raises StorageError when the archive cannot be looked at.
    """
    today = utc_now().date()
    partitions = {table.name: set(archive.days(table.name)) for table in TABLES}
    for day in days:
        lost = [
            table.key(day)
            for table in TABLES
            if day not in partitions[table.name] or not _exists(archive, table.key(day))
        ]
        cure = cure_of_missing_table(day)
        if day < first_partition:
            cure = f"set RECALL_START_DATE to {day} and {cure}"
        if len(lost) == len(TABLES):
            where = archive.location.root
            yield Problem(
                day, Code.DAY_MISSING, f"day={day}", f"is not in {where}: restore it from a backup, or {cure}"
            )
        elif day < today:
            for key in lost:
                yield Problem(day, Code.TABLE_MISSING, key, f"is not there: restore it from a backup, or {cure}")


def _exists(archive: Archive, key: str) -> bool:
    """Return whether a file is there; a folder that cannot be read counts, and is reported as unreadable."""
    try:
        return archive.exists(key)
    except StorageError as error:
        if error.retry_can_help:
            raise
        return True
