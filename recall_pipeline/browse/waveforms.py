"""The peaks of normalized files, drawn as a path, with the quiet stretches in them.

The table `waveforms` is read by its columns: an archive may have none, and a file may have no row.
"""

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from recall_pipeline.browse.row_filter import rows_with
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import Archive, Layout

HEIGHT = 100
"""The height of a drawing in its own units; it is as wide as it has pairs."""
_FULL_SCALE = 127
_QUIET_RATIO = 10 ** (-25 / 20)  # 25 dB below the mean, as the engine's silences (docs/audio.md)
_MIN_QUIET_SECONDS = 0.5
_COLUMNS = ["recording_id", "audio_key", "peak_seconds", "minima", "maxima"]


@dataclass(frozen=True, slots=True)
class Waveform:
    """The lowest and the highest sample of each `pair_seconds` of a file, full scale 127."""

    pair_seconds: float
    minima: Sequence[int]
    maxima: Sequence[int]

    @property
    def seconds(self) -> float:
        """The length of the file, to the next pair."""
        return len(self.maxima) * self.pair_seconds

    @property
    def path(self) -> str:
        """The outline as the path of an SVG."""
        tops = [f"{x} {_y(value)}" for x, value in enumerate(self.maxima)]
        bottoms = [f"{x} {_y(value)}" for x, value in reversed(list(enumerate(self.minima)))]
        return f"M{'L'.join([*tops, *bottoms])}Z"

    def quiet(self) -> Iterator[tuple[float, float]]:
        """Yield start and end in seconds of each stretch that is 25 dB quieter than the mean for half a second."""
        peaks = [max(abs(low), abs(high)) for low, high in zip(self.minima, self.maxima, strict=True)]
        audible = [peak for peak in peaks if peak > 0]
        mean = math.sqrt(sum(peak * peak for peak in audible) / len(audible)) if audible else 0
        threshold, start = max(1.0, mean * _QUIET_RATIO), None
        for place, peak in enumerate([*peaks, _FULL_SCALE + 1]):
            if peak <= threshold:
                start = place if start is None else start
            elif start is not None:
                if (place - start) * self.pair_seconds >= _MIN_QUIET_SECONDS:
                    yield start * self.pair_seconds, place * self.pair_seconds
                start = None


def _y(value: int) -> str:
    return f"{HEIGHT / 2 * (1 - value / _FULL_SCALE):.1f}".removesuffix(".0")


def read_waveforms(archive: Archive, day: date, recording_id: str) -> dict[str, Waveform]:
    """Return the waveforms of a recording by the key of the normalized file; empty if the archive has none of it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    found: dict[str, Waveform] = {}
    with contextlib.suppress(StorageError, pa.ArrowException, OSError, ValueError, TypeError):
        file = archive.open_file(
            f"waveforms/{Layout.folder('audio_catalog', day).rpartition('/')[2]}/waveforms.parquet"
        )
        if file is None:
            return {}
        with file:
            table = pq.ParquetFile(file).read(columns=_COLUMNS, use_threads=False)
        for row in rows_with(table, "recording_id", recording_id).to_pylist():
            if row["minima"] and len(row["minima"]) == len(row["maxima"]) and row["peak_seconds"] > 0:
                found[row["audio_key"]] = Waveform(row["peak_seconds"], row["minima"], row["maxima"])
    return found
