"""Peaks of the output over time, for drawing it: the lowest and the highest sample of each of up to 2,000 spans."""

from array import array
from collections.abc import Iterator

import numpy as np

from recall_pipeline.audio.decoder import Samples
from recall_pipeline.audio.results import Peaks

MAX_PAIRS = 2000
_PAIRS_PER_SECOND = 100
_FULL_SCALE = 127


class PeakMeter:
    """Collects the peaks of samples on their way to the encoder. Lossy encoding changes them a little, not their shape.

    A pair spans at least 10 ms, and as much as is needed for 2,000 pairs.
    """

    def __init__(self, total_samples: int, rate_hz: int) -> None:
        """Start a file of `total_samples` per channel."""
        self._rate_hz = rate_hz
        self._span = max(-(-total_samples // MAX_PAIRS), rate_hz // _PAIRS_PER_SECOND)
        pairs = -(-total_samples // self._span)
        self._minima, self._maxima = np.full(pairs, np.inf, np.float32), np.full(pairs, -np.inf, np.float32)
        self._fed = 0

    def measured(self, blocks: Iterator[Samples]) -> Iterator[Samples]:
        """Yield the blocks, shape (frames, channels), full scale at 1.0, and measure them on the way."""
        for samples in blocks:
            self._feed(samples)
            yield samples

    def _feed(self, samples: Samples) -> None:
        frames, channels = samples.shape
        edges = np.arange(self._span - self._fed % self._span, frames, self._span)
        starts = np.concatenate([[0], edges]) * channels
        first = self._fed // self._span
        spans = slice(first, first + len(starts))
        wave = samples.reshape(-1)
        np.minimum(self._minima[spans], np.minimum.reduceat(wave, starts), out=self._minima[spans])
        np.maximum(self._maxima[spans], np.maximum.reduceat(wave, starts), out=self._maxima[spans])
        self._fed += frames

    def peaks(self) -> Peaks:
        """Return the peaks of all samples."""
        return Peaks(self._span / self._rate_hz, _steps(self._minima), _steps(self._maxima))


def _steps(levels: Samples) -> "array[int]":
    return array("b", np.rint(np.clip(levels, -1, 1) * _FULL_SCALE).astype(np.int8).tobytes())
