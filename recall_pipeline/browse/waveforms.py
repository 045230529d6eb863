"""The peaks of normalized files, drawn as a path, with the quiet stretches in them.

A day may have no table of them, and a file no row.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from recall_pipeline.browse.row_filter import rows_with
from recall_pipeline.catalog import WAVEFORMS
from recall_pipeline.storage import Archive

HEIGHT = 100
"""The height of a drawing in its own units; it is as wide as it has pairs."""
_FULL_SCALE = 127
_QUIET_RATIO = 10 ** (-25 / 20)  # 25 dB below the mean, as the engine's silences (docs/audio.md)
_MIN_QUIET_SECONDS = 0.5


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
        peaks = [max(abs(low), abs(high)) for low, high in zip(self.minima, self.maxima, strict=False)]
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


def read_waveforms(archive: Archive, day: date, recording_id: str) -> dict[tuple[str, str], Waveform]:
    """Return the waveforms of a recording by key and SHA-256 of the normalized file. Raises StorageError."""
    stored = WAVEFORMS.load_file(archive, WAVEFORMS.key(day), tuple(WAVEFORMS.columns))
    if stored is None:
        return {}
    rows = WAVEFORMS.rows_in(archive, day, rows_with(stored, "recording_id", recording_id))
    return {(row.audio_key, row.audio_sha256): Waveform(row.peak_seconds, row.minima, row.maxima) for row in rows}
