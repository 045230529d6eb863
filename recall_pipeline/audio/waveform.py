"""Waveform of a recording: sixty peaks."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.decoder import Samples

BARS = 60


class WaveformMeter:
    """Collects one sample peak per block of audio."""

    def __init__(self) -> None:
        """Start empty."""
        self._peaks: list[float] = []

    def feed(self, samples: Samples) -> None:
        """Add a block of samples, shape (frames, channels)."""
        self._peaks.append(max(float(samples.max()), -float(samples.min())) if samples.size else 0.0)

    def bars(self) -> tuple[float, ...]:
        """Return 60 peaks, 0 to 1, evenly spread over the blocks so far."""
        peaks = np.minimum(np.array(self._peaks or [0.0]), 1.0)
        return tuple(round(float(part.max()), 4) for part in _split(peaks))


def _split(peaks: npt.NDArray[np.float64]) -> list[npt.NDArray[np.float64]]:
    edges = np.arange(BARS + 1) * peaks.size / BARS
    return [peaks[int(a) : max(int(a) + 1, int(b))] for a, b in pairwise(edges)]
