"""True peak (ITU-R BS.1770-4 annex 2), looked for only where it can be.

Between two samples a band-limited wave can rise above both, but never above the largest sample
around times the interpolator's gain. So stretches that cannot beat the highest peak found so far
are left out, and the result is still exact.
"""

import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.decoding import Samples

Wave = npt.NDArray[np.float32]

STRETCH = 64
"""Samples that are looked at together."""


class Interpolator:
    """Values between samples: `factor` of them a sample, by a Kaiser-windowed sinc."""

    def __init__(self, factor: int, reach: int) -> None:
        """Set up for `reach` samples to each side of a point."""
        self.factor, self.reach = factor, reach
        kernel = _kernel(factor, reach)
        self.gain = float(np.abs(kernel).sum(axis=1).max())
        self._matrix = np.zeros((STRETCH + 2 * reach, STRETCH, factor), dtype=np.float32)
        for at in range(STRETCH):
            self._matrix[at : at + 2 * reach + 1, at, :] = kernel.T
        self._matrix = self._matrix.reshape(STRETCH + 2 * reach, -1)

    def peaks(self, wave: Wave, stretches: npt.NDArray[np.intp]) -> Wave:
        """Magnitudes at and after each sample of some stretches.

        `wave` has `reach` samples more at both ends than the stretches cover. Gives shape
        (stretches, STRETCH, factor).
        """
        starts = np.lib.stride_tricks.sliding_window_view(wave, STRETCH + 2 * self.reach)
        values = np.abs(starts[stretches * STRETCH] @ self._matrix)
        return values.reshape(-1, STRETCH, self.factor)


def _kernel(factor: int, reach: int) -> npt.NDArray[np.float64]:
    """Weights, shape (factor, 2 * reach + 1), of the samples around the points after a sample."""
    offsets = np.arange(-reach, reach + 1)[None, :] - np.arange(factor)[:, None] / factor
    window = np.i0(9.0 * np.sqrt(np.clip(1 - (offsets / (reach + 1)) ** 2, 0, 1))) / np.i0(9.0)
    return np.asarray(np.sinc(offsets) * window)


def stretch_maxima(wave: Wave) -> Wave:
    """Largest magnitude of each stretch; the length is a multiple of STRETCH."""
    return np.abs(wave).reshape(-1, STRETCH).max(axis=1)


def widened(maxima: Wave) -> Wave:
    """Largest of each value and its two neighbours: what a kernel's reach can see."""
    wide = maxima.copy()
    np.maximum(wide[1:], maxima[:-1], out=wide[1:])
    np.maximum(wide[:-1], maxima[1:], out=wide[:-1])
    return wide


class TruePeakMeter:
    """Takes sound block by block, keeps the highest true peak of any channel."""

    def __init__(self, channels: int) -> None:
        """Set up for so many channels."""
        self._interpolator = Interpolator(factor=8, reach=24)
        self._waves = [_Tail(self._interpolator.reach) for _ in range(channels)]
        self._peak = 0.0

    def feed(self, samples: Samples) -> None:
        """Take (frames, channels)."""
        for tail, column in zip(self._waves, samples.T, strict=True):
            self._look(tail.join(column))

    def peak(self) -> float:
        """Highest true peak, full scale at 1.0; ends the stream."""
        for tail in self._waves:
            self._look(tail.join(np.zeros(STRETCH + 2 * self._interpolator.reach, np.float32)))
        return self._peak

    def _look(self, wave: Wave) -> None:
        highest = float(np.abs(wave).max(initial=0.0))
        if highest * self._interpolator.gain <= self._peak or wave.size < STRETCH * 2:
            return
        self._peak = max(self._peak, highest)
        reach = self._interpolator.reach
        bounds = widened(stretch_maxima(wave[reach : wave.size - reach]))
        np.maximum(bounds[0], np.abs(wave[:reach]).max(), out=bounds[:1])
        np.maximum(bounds[-1], np.abs(wave[-reach:]).max(), out=bounds[-1:])
        self._search(wave, bounds * self._interpolator.gain)

    def _search(self, wave: Wave, bounds: Wave) -> None:
        order = np.argsort(-bounds)
        for batch in np.array_split(order, range(8, order.size, 256)):
            batch = batch[bounds[batch] > self._peak]
            if not batch.size:
                return
            self._peak = max(self._peak, float(self._interpolator.peaks(wave, batch).max()))


class _Tail:
    """Joins blocks to waves that overlap by twice the reach and cover whole stretches."""

    def __init__(self, reach: int) -> None:
        self._reach = reach
        self._rest = np.zeros(reach, dtype=np.float32)

    def join(self, column: Wave) -> Wave:
        wave = np.concatenate([self._rest, column])
        inside = wave.size - 2 * self._reach
        end = max(0, inside - inside % STRETCH)
        self._rest = wave[end:]
        return wave[: end + 2 * self._reach] if end else wave[:0]


def to_db(ratio: float) -> float | None:
    """Decibels of a ratio; None for zero."""
    return 20 * float(np.log10(ratio)) if ratio > 0 else None


def to_ratio(decibels: float) -> float:
    """Ratio of decibels."""
    return float(10 ** (decibels / 20))
