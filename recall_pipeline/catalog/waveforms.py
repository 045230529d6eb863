"""The table `waveforms`: the peaks of each normalized file, for drawing it (docs/design/interface.md, section 3).

A day may lack the table, and a file may lack a row: earlier versions wrote none. Drawing is all that depends on it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal, cast

from recall_pipeline.catalog.audio_columns import AudioColumns
from recall_pipeline.catalog.rows import CatalogRow
from recall_pipeline.catalog.spooled_columns import SpooledColumns
from recall_pipeline.errors import TableNewer, TableUnreadable
from recall_pipeline.storage import Archive, ArchiveDay, Int8, Table, column

if TYPE_CHECKING:
    import pyarrow as pa

    from recall_pipeline.audio import Peaks


@dataclass(frozen=True, slots=True)
class WaveformRow:
    """The peaks of a normalized file."""

    recording_id: str = column("Recall's id of the recording")
    audio_id: str = column("Recall's id of the MP3")
    audio_key: str = column("The normalized file, relative to the root of the archive")
    audio_sha256: str = column("Its SHA-256, hex: other bytes under the same key have another waveform")
    peak_seconds: float = column("Length of the audio of one minimum and one maximum, seconds; 0.01 or more")
    minima: list[Int8] = column("Lowest sample of each such length, over all channels; full scale is 127")
    maxima: list[Int8] = column("Highest sample of each, at most 2,000 of them; full scale is 127")


WAVEFORMS = Table("waveforms", WaveformRow)
_GROUP_ROWS = 100  # rows of up to 4,000 numbers: the writer takes 80 kB for each
_ORDER: list[tuple[str, Literal["ascending", "descending"]]] = [
    ("recording_id", "ascending"),
    ("audio_id", "ascending"),
]


def write_waveforms(
    day: ArchiveDay, before: Iterable[CatalogRow], rows: Collection[CatalogRow], columns: SpooledColumns
) -> None:
    """Replace the table: new rows for files whose `columns` have peaks; of the others, rows of files in the catalog.

    Writes nothing if the catalog has the same files as `before`. A damaged table counts as absent. Raises StorageError.
    """
    files = _cataloged_files(rows)
    new = [row for row in rows if row.key in columns.with_peaks and row.audio_id and row.audio_key and row.audio_sha256]
    if not new and files == _cataloged_files(before):
        return
    kept = files - {(row.audio_key, row.audio_sha256) for row in new}
    stored = _readable(day.archive, day.day)
    if stored is not None:
        stored = _filtered(stored, lambda _, *file: file in kept)
    if stored is not None or new:
        _write_merged(day.archive, day.day, stored, new, columns)


def remove_waveforms(archive: Archive, day: date, recordings: Collection[str]) -> None:
    """Remove the rows of these recordings. The caller holds the lock of the day. Raises StorageError."""
    stored = WAVEFORMS.load_file(archive, WAVEFORMS.key(day))
    if stored is None:
        return
    left = _filtered(stored, lambda recording_id, *_: recording_id not in recordings)
    if len(left) < len(stored):
        _write_merged(archive, day, left, [], {})


def _cataloged_files(rows: Iterable[CatalogRow]) -> set[tuple[str | None, str | None]]:
    return {(row.audio_key, row.audio_sha256) for row in rows if row.audio_key}


def _new_row(row: CatalogRow, columns: AudioColumns) -> WaveformRow:
    import numpy as np

    peaks = cast("Peaks", columns.peaks)  # SpooledColumns.with_peaks has the row
    # views: lists of numbers take eight times as much memory
    minima, maxima = (cast("list[Int8]", np.asarray(values)) for values in (peaks.minima, peaks.maxima))
    file = (row.audio_id or "", row.audio_key or "", row.audio_sha256 or "")
    return WaveformRow(row.recording_id, *file, peaks.peak_seconds, minima, maxima)


def _readable(archive: Archive, day: date) -> "pa.Table | None":
    """Return the content of the day's file; None if there is none, or if it is damaged: its rows are lost then."""
    try:
        file = WAVEFORMS.file(archive, day)
        return WAVEFORMS.upgraded(archive, WAVEFORMS.key(day), file.content) if file else None
    except TableNewer:
        raise
    except TableUnreadable:
        return None


def _filtered(content: "pa.Table", keeps: Callable[..., bool]) -> "pa.Table":
    """Return the rows whose recording, key and SHA-256 `keeps` accepts. The lists of peaks stay as they are stored."""
    import pyarrow as pa

    names = ("recording_id", "audio_key", "audio_sha256")
    values = zip(*(content.column(name).to_pylist() for name in names), strict=True)
    return content.filter(pa.array([keeps(*each) for each in values], pa.bool_()))


def _write_merged(
    archive: Archive,
    day: date,
    stored: "pa.Table | None",
    new: Sequence[CatalogRow],
    columns: Mapping[str, AudioColumns],
) -> None:
    WAVEFORMS.publish_groups(archive, WAVEFORMS.key(day), _merged(day, stored, new, columns))


def _merged(
    day: date, stored: "pa.Table | None", new: Sequence[CatalogRow], columns: Mapping[str, AudioColumns]
) -> Iterator["pa.Table"]:
    """Yield the stored rows and those of the `new` files in order, in groups, with the peaks of one group in memory."""
    import pyarrow as pa

    nothing = WAVEFORMS.content([], day=day)
    kept = nothing if stored is None else stored.select(nothing.column_names).cast(nothing.schema)
    keys = zip(*(kept.column(name).to_pylist() for name, _ in _ORDER), strict=True)
    rows: list[tuple[Any, int, CatalogRow | None]] = [(key, place, None) for place, key in enumerate(keys)]
    rows += (((row.recording_id, row.audio_id), 0, row) for row in new)
    rows.sort(key=itemgetter(0))
    for start in range(0, max(1, len(rows)), _GROUP_ROWS):
        group = rows[start : start + _GROUP_ROWS]
        made = WAVEFORMS.content([_new_row(row, columns[row.key]) for *_, row in group if row], day=day)
        places = pa.array([place for _, place, row in group if row is None], pa.int64())
        yield pa.concat_tables([made, kept.take(places)]).combine_chunks().sort_by(_ORDER)
