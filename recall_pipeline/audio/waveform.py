"""Sixty bars that draw a recording."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.decoder import Samples

BARS = 60


class WaveformMeter:
    """Takes sound block by block, keeps one sample peak a block."""

    def __init__(self) -> None:
        """Start with nothing heard."""
        self._peaks: list[float] = []

    def feed(self, samples: Samples) -> None:
        """Take (frames, channels)."""
        self._peaks.append(max(float(samples.max()), -float(samples.min())) if samples.size else 0.0)

    def bars(self) -> tuple[float, ...]:
        """Peaks from 0 to 1, evenly spread over the time."""
        peaks = np.minimum(np.array(self._peaks or [0.0]), 1.0)
        return tuple(round(float(part.max()), 4) for part in _split(peaks))


def _split(peaks: npt.NDArray[np.float64]) -> list[npt.NDArray[np.float64]]:
    edges = np.arange(BARS + 1) * peaks.size / BARS
    return [peaks[int(a) : max(int(a) + 1, int(b))] for a, b in pairwise(edges)]
