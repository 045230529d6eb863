"""When the stored files of each day were last read back, if the archive has the table `fixity`.

The table has a row for each file, so it is read in a thread, and kept until it is replaced.
"""

import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from recall_pipeline.errors import StorageError
from recall_pipeline.fixity import FIXITY, FIXITY_KEY
from recall_pipeline.storage import Archive

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class DayFixity:
    """The files of a day: when the oldest of their last checks was, how many are damaged, how many were never read."""

    checked_at: datetime | None
    damaged: int
    unread: int


class FixityByDay:
    """The checks of all days. Safe for several threads."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._thread = ThreadPoolExecutor(1, "fixity")
        self._lock = threading.Lock()
        self._version: str | None = None
        self._reading: Future[Mapping[date, DayFixity]] | None = None
        self._days: Mapping[date, DayFixity] = {}

    def of(self, seconds: float) -> Mapping[date, DayFixity]:
        """Return the checks of each day; those of an earlier table if the present one is not read in `seconds`."""
        version = self._archive.version(FIXITY_KEY)
        if version is None:
            return {}
        with self._lock:
            if version != self._version or self._reading is None:
                self._version, self._reading = version, self._thread.submit(_read_checks, self._archive)
            reading = self._reading
        wait([reading], timeout=seconds)
        if reading.done():
            self._days = reading.result()
        return self._days

    def close(self) -> None:
        """Stop reading."""
        self._thread.shutdown(cancel_futures=True)


def _read_checks(archive: Archive) -> Mapping[date, DayFixity]:
    try:
        content = FIXITY.load_file(archive, FIXITY_KEY, ["day", "checked_at", "result"])
    except StorageError:  # the next pass rebuilds a damaged table
        return {}
    return {} if content is None else _checks_by_day(content)


def _checks_by_day(content: "pa.Table") -> Mapping[date, DayFixity]:
    import pyarrow as pa
    import pyarrow.compute as pc

    is_right = pc.equal(content.column("result"), pa.scalar("ok"))
    values: dict[str, Any] = {
        "day": content.column("day"),
        "checked_at": content.column("checked_at"),
        "damaged": pc.fill_null(pc.invert(is_right), pa.scalar(False)).cast(pa.int64()),
        "unread": pc.is_null(content.column("checked_at")).cast(pa.int64()),
    }
    counted = pa.table(values)
    sums = counted.group_by("day", use_threads=False).aggregate(
        [("checked_at", "min"), ("damaged", "sum"), ("unread", "sum")]
    )
    return {
        row["day"]: DayFixity(row["checked_at_min"], row["damaged_sum"], row["unread_sum"]) for row in sums.to_pylist()
    }
