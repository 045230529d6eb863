"""When the stored files of each day were last read back and checked, if the archive has that table."""

import contextlib
from dataclasses import dataclass
from datetime import date, datetime

from recall_pipeline.errors import StorageError
from recall_pipeline.storage import Archive

_KEY = "fixity/fixity.parquet"


@dataclass(frozen=True, slots=True)
class DayFixity:
    """The check of a day's files: when the one was checked that waits longest, and how many were not as cataloged."""

    checked_at: datetime
    faults: int


def read_fixity(archive: Archive) -> dict[date, DayFixity]:
    """Return the check of each day; empty where the archive has no such table, or where it cannot be read."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with contextlib.suppress(StorageError, pa.ArrowException, OSError, ValueError, TypeError):
        file = archive.open_file(_KEY)
        if file is None:
            return {}
        with file:
            table = pq.ParquetFile(file).read(columns=["day", "checked_at", "result"], use_threads=False)
        table = table.append_column("is_fault", pc.not_equal(table.column("result"), pa.scalar("ok")).cast(pa.int64()))
        days = (
            table.group_by("day", use_threads=False).aggregate([("checked_at", "min"), ("is_fault", "sum")]).to_pylist()
        )
        return {
            date.fromisoformat(str(row["day"])): DayFixity(row["checked_at_min"], row["is_fault_sum"])
            for row in days
            if row["day"] and row["checked_at_min"]
        }
    return {}
