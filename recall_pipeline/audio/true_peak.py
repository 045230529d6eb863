"""True peak (ITU-R BS.1770-4 annex 2), looked for only where it can be.

Between two samples a band-limited wave can rise above both, but never above the samples around
times the interpolator's gain, and never above a grid d times as dense divided by cos(pi / 2d)
(Bernstein's inequality). Stretches of sound that cannot beat the highest peak found so far are
left out; what is left is read off grids two, four and eight times as dense.
"""

from collections.abc import Sequence
from math import cos, pi

import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.decoding import Samples

Wave = npt.NDArray[np.float32]

STRETCH = 64
"""Samples that are looked at together."""

_REACH = 24
_GRIDS = ((0.5,), (0.25, 0.75), (0.125, 0.375, 0.625, 0.875))
_FIRST = 16
_BATCH = 1024  # stretches a multiplication: half a megabyte, which stays in the cache


class Interpolator:
    """Values at some offsets after each sample, by a Kaiser-windowed sinc."""

    def __init__(self, offsets: Sequence[float], reach: int) -> None:
        """Set up for offsets between 0 and 1, seeing `reach` samples to each side."""
        self.reach = reach
        self._kernel = _kernel(np.array(offsets), reach)
        self._width = STRETCH + 2 * reach
        matrix = np.zeros((self._width, len(offsets), STRETCH), dtype=np.float32)
        for at in range(STRETCH):
            matrix[at : at + 2 * reach + 1, :, at] = self._kernel.T
        self._matrix = matrix.reshape(self._width, -1)

    @property
    def gain(self) -> float:
        """How far a value can lie above the largest of the samples that it is made of."""
        return float(np.abs(self._kernel).sum(axis=1).max())

    def magnitudes(self, wave: Wave, stretches: npt.NDArray[np.intp]) -> Wave:
        """Magnitudes in some stretches, shape (stretches, offsets, STRETCH).

        `wave` is contiguous and has `reach` samples more at both ends than its stretches.
        """
        count = (wave.size - 2 * self.reach) // STRETCH
        windows = np.ndarray((count, self._width), np.float32, wave, 0, (4 * STRETCH, 4))
        values = windows[stretches] @ self._matrix
        return np.abs(values, out=values).reshape(len(stretches), -1, STRETCH)


def _kernel(offsets: npt.NDArray[np.float64], reach: int) -> npt.NDArray[np.float64]:
    """Weights of the samples around each offset, shape (offsets, 2 * reach + 1)."""
    distances = np.arange(-reach, reach + 1)[None, :] - offsets[:, None]
    window = np.i0(9 * np.sqrt(np.clip(1 - (distances / (reach + 1)) ** 2, 0, 1))) / np.i0(9)
    return np.asarray(np.sinc(distances) * window)


def stretch_maxima(wave: Wave) -> Wave:
    """Largest magnitude of each stretch of a wave that is whole stretches long."""
    rows = np.abs(wave).reshape(-1, STRETCH)
    return np.asarray(rows.max(axis=1))


def widened(maxima: Wave) -> Wave:
    """Largest of each value and its neighbours: all that a point's kernel can see."""
    wide = maxima.copy()
    np.maximum(wide[1:], maxima[:-1], out=wide[1:])
    np.maximum(wide[:-1], maxima[1:], out=wide[:-1])
    return wide


class TruePeakMeter:
    """Takes sound block by block, keeps the highest true peak of any channel."""

    def __init__(self, channels: int) -> None:
        """Set up for so many channels."""
        self._grids = [Interpolator(offsets, _REACH) for offsets in _GRIDS]
        self._gain = max(grid.gain for grid in self._grids)
        self._tails = [_Tail() for _ in range(channels)]
        self._peak = 0.0

    def feed(self, samples: Samples) -> None:
        """Take (frames, channels)."""
        for tail, column in zip(self._tails, samples.T, strict=True):
            self._look(tail.join(column))

    def peak(self) -> float:
        """Highest true peak, full scale at 1.0; ends the stream."""
        for tail in self._tails:
            self._look(tail.join(np.zeros(STRETCH + 2 * _REACH, dtype=np.float32)))
        return self._peak

    def _look(self, wave: Wave) -> None:
        highest = max(float(wave.max(initial=0)), -float(wave.min(initial=0)))
        if highest * self._gain <= self._peak:
            return
        self._peak = max(self._peak, highest)
        maxima = stretch_maxima(wave[_REACH:-_REACH])
        bounds = self._gain * widened(maxima)
        bounds[0] = bounds[-1] = self._gain * highest  # their neighbours are not all here
        candidates = np.argsort(-bounds)[: np.count_nonzero(bounds > self._peak)]
        self._search(wave, candidates[:_FIRST], maxima)
        rest = candidates[_FIRST:]
        rest = rest[bounds[rest] > self._peak]
        for start in range(0, rest.size, _BATCH):
            self._search(wave, rest[start : start + _BATCH], maxima)

    def _search(self, wave: Wave, stretches: npt.NDArray[np.intp], maxima: Wave) -> None:
        """Look at ever denser grids, and on each only where the one before leaves a chance."""
        found = maxima[stretches]
        for density, grid in zip((2, 4, 8), self._grids, strict=True):
            if not stretches.size:
                return
            between = grid.magnitudes(wave, stretches).reshape(len(stretches), -1)
            found = np.maximum(found, between.max(axis=1))
            self._peak = max(self._peak, float(found.max()))
            chance = found / cos(pi / 2 / density) > self._peak
            stretches, found = stretches[chance], found[chance]


class _Tail:
    """Joins blocks to waves that overlap by twice the reach and cover whole stretches."""

    def __init__(self) -> None:
        self._rest = np.zeros(_REACH, dtype=np.float32)

    def join(self, column: Wave) -> Wave:
        wave = np.concatenate([self._rest, column])
        inside = wave.size - 2 * _REACH
        end = inside - inside % STRETCH
        if end <= 0:
            self._rest = wave
            return wave[:0]
        self._rest = wave[end:].copy()
        return wave[: end + 2 * _REACH]


def to_db(ratio: float) -> float | None:
    """Decibels of a ratio; None for zero."""
    return 20 * float(np.log10(ratio)) if ratio > 0 else None


def to_ratio(decibels: float) -> float:
    """Ratio of decibels."""
    return float(10 ** (decibels / 20))
