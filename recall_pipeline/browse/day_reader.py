"""Read the rows of one day: the catalog without what is erased, transcripts, and waveforms.

Whatever is erased is left out when a row is read, also where an erasure has not reached the table yet.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from recall_pipeline.audit import ErasedIds, erased_on
from recall_pipeline.browse.day_summary import read_catalog_columns
from recall_pipeline.browse.row_filter import rows_with
from recall_pipeline.browse.transcripts import TRANSCRIPT_TEXTS, TranscriptText
from recall_pipeline.browse.waveforms import Waveform, read_waveforms
from recall_pipeline.catalog import CATALOG, CatalogRow, Outcome
from recall_pipeline.storage import Archive

if TYPE_CHECKING:
    import pyarrow as pa

_TABLES_KEPT = 12  # a day of 10,000 rows takes 10 MB


@dataclass(frozen=True, slots=True)
class DayRows:
    """The rows of a day that may be shown, as a table of the catalog's columns, and the number of erased ones."""

    table: "pa.Table"
    erased: int

    def of_recording(self, recording_id: str) -> "pa.Table":
        """Return the rows of one recording."""
        return rows_with(self.table, "recording_id", recording_id)


class DayReader:
    """Reads days, and keeps the tables of the last few until their files are replaced. Raises StorageError."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self._kept: OrderedDict[str, tuple[str, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def rows(self, day: date) -> DayRows | None:
        """Return the rows of a day; None if the archive has no catalog of it."""
        names = tuple(CATALOG.columns)
        table = self._cached(CATALOG.key(day), lambda: read_catalog_columns(self.archive, day, names))
        return None if table is None else without_erased(table, erased_on(self.archive, day))

    def typed(self, day: date, table: "pa.Table") -> list[CatalogRow]:
        """Return rows of a day's table as objects."""
        return CATALOG.rows_in(self.archive, day, table)

    def is_erased(self, day: date, recording_id: str) -> bool:
        """Return whether a recording of a day is erased, as its audit or its redacted row states."""
        if recording_id in erased_on(self.archive, day).recordings:
            return True
        rows = CATALOG.read_columns(self.archive, day, "recording_id", "outcome")
        return (recording_id, str(Outcome.FORGOTTEN)) in rows

    def transcripts(self, day: date, recording_id: str) -> Sequence[TranscriptText]:
        """Return the transcripts of a recording, which the caller has found not to be erased."""
        texts = self._cached(TRANSCRIPT_TEXTS.key(day), lambda: TRANSCRIPT_TEXTS.file(self.archive, day))
        if texts is None:
            return ()
        return TRANSCRIPT_TEXTS.rows_in(self.archive, day, rows_with(texts.content, "recording_id", recording_id))

    def waveforms(self, day: date, recording_id: str) -> dict[tuple[str, str], Waveform]:
        """Return the waveforms of a recording by key and SHA-256 of the normalized file."""
        return read_waveforms(self.archive, day, recording_id)

    def _cached(self, key: str, read: Callable[[], Any]) -> Any:
        """Return what `read` returned for the present version of a file; None if there is no file."""
        version = self.archive.version(key)
        if version is None:
            return None
        with self._lock:
            kept_version, content = self._kept.get(key, ("", None))
        if kept_version != version:
            content = read()
        with self._lock:
            self._kept[key] = (version, content)
            self._kept.move_to_end(key)
            while len(self._kept) > _TABLES_KEPT:
                self._kept.popitem(last=False)
        return content


def without_erased(table: "pa.Table", erased: ErasedIds) -> DayRows:
    """Return the rows that are neither redacted nor named as erased by the audit."""
    import pyarrow as pa
    import pyarrow.compute as pc

    is_gone = pc.equal(table.column("outcome"), pa.scalar(str(Outcome.FORGOTTEN)))
    for name, ids in (("recording_id", erased.recordings), ("bot_id", erased.bots)):
        if ids:
            is_gone = pc.or_(is_gone, pc.is_in(table.column(name), value_set=pa.array(sorted(ids), pa.string())))
    shown = table.filter(pc.invert(is_gone))
    return DayRows(shown, len(table) - len(shown))
