"""True peak (ITU-R BS.1770-4 annex 2), looked for only where it can be.

Between two samples a band-limited wave can rise above both, but no further above the straight line
between them than some constant times the largest second difference around; and never above the
largest sample around times the interpolator's gain. Where that cannot beat the highest peak found so
far, nothing is interpolated. What is left is read off grids two, four and eight times as dense, each
only where the one before leaves a chance. The bounds hold for whatever the wave may be.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.decoder import Samples

Wave = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]

ROW = 512
"""Samples that are judged together."""

STRETCH = 64
"""Samples that are interpolated together; some of them make a row."""

REACH = 24
"""Samples that the meter sees to each side."""

_STRETCHES = ROW // STRETCH
_EIGHTHS = np.arange(9) / 8
_GRIDS = {2: (0.5,), 4: (0.25, 0.75), 8: (0.125, 0.375, 0.625, 0.875)}
_BATCH = 1024  # stretches a multiplication: half a megabyte, which stays in the cache


class Interpolator:
    """Values at some offsets after each sample, by a Kaiser-windowed sinc that keeps straight lines.

    It works on waves that are contiguous, whole rows long, and have `reach` samples more at both ends.
    """

    def __init__(self, offsets: Sequence[float], reach: int) -> None:
        """Set up for offsets between 0 and 1, seeing `reach` samples to each side."""
        self.reach = reach
        self._slack = slack(reach, 1)
        kernels = _kernels(np.array(offsets), reach)
        self._gain = float(np.abs(kernels).sum(axis=1).max())
        matrix = np.zeros((STRETCH + 2 * reach, len(offsets), STRETCH), dtype=np.float32)
        for at in range(STRETCH):
            matrix[at : at + 2 * reach + 1, :, at] = kernels.T
        self._matrix = matrix.reshape(STRETCH + 2 * reach, -1)

    def row_peaks(self, wave: Wave) -> Wave:
        """Largest magnitude of the samples in each row and its reach."""
        rows = self._windows(wave, ROW)
        return np.asarray(np.maximum(rows.max(axis=1), -rows.min(axis=1)))

    def candidates(self, wave: Wave, row_peaks: Wave, level: float) -> tuple[Indices, Wave]:
        """Stretches in which a value between the samples may lie above `level`, and their bends."""
        rows = self._windows(wave, ROW)
        at = np.flatnonzero(row_peaks * self._gain > level)
        bends = _bends(rows[at])
        near = row_peaks[at] + self._slack * bends > level
        at, bends = at[near], bends[near]
        above = np.abs(rows[at, self.reach : self.reach + ROW + 1]) > (level - self._slack * bends)[:, None]
        beside = (above[:, :-1] | above[:, 1:]).reshape(len(at), _STRETCHES, STRETCH)
        row, stretch = np.nonzero(beside.any(axis=2))
        return at[row] * _STRETCHES + stretch, bends[row]

    def magnitudes(self, wave: Wave, stretches: Indices) -> Wave:
        """Magnitudes in some stretches, shape (stretches, offsets, STRETCH)."""
        values = self._windows(wave, STRETCH)[stretches] @ self._matrix
        return np.asarray(np.abs(values, out=values).reshape(len(stretches), -1, STRETCH))

    def sample_peaks(self, wave: Wave, stretches: Indices) -> Wave:
        """Largest magnitude of the samples of some stretches, up to the next one's first."""
        samples = self._windows(wave, STRETCH)[stretches, self.reach : self.reach + STRETCH + 1]
        return np.asarray(np.abs(samples).max(axis=1))

    def _windows(self, wave: Wave, size: int) -> Wave:
        """The wave in parts of `size`, each with its reach to both sides; a view."""
        shape = (wave.size - 2 * self.reach) // size, size + 2 * self.reach
        return np.ndarray(shape, np.float32, wave, 0, (4 * size, 4))


def _bends(rows: Wave) -> Wave:
    """Largest second difference in each row, its sign left out; writes over the rows."""
    wave = rows.ravel()  # differences of one long row take half the time; those across seams are left out
    steps = wave[1:] - wave[:-1]
    np.subtract(steps[1:], steps[:-1], out=wave[:-2])
    return np.asarray(np.abs(wave, out=wave).reshape(rows.shape)[:, :-2].max(axis=1))


def _kernels(offsets: npt.NDArray[np.float64], reach: int) -> npt.NDArray[np.float64]:
    """Weights of the samples around each offset, shape (offsets, 2 * reach + 1)."""
    places = np.arange(-reach, reach + 1)
    distances = places[None, :] - offsets[:, None]
    window = np.i0(9 * np.sqrt(np.clip(1 - (distances / (reach + 1)) ** 2, 0, 1))) / np.i0(9)
    kernels = np.sinc(distances) * window
    # What the window takes from a straight line (under 0.1%) goes back to the two samples in the middle.
    kernels[:, reach + 1] += offsets - kernels @ places
    kernels[:, reach] += 1 - kernels.sum(axis=1)
    return np.asarray(kernels)


def slack(reach: int, density: int) -> float:
    """How far a value can lie above the line between two of a grid, in bends.

    What an interpolator makes of a wave, less that line, is a sum of second differences: their
    weights are the kernel's, less the line's, summed up twice.
    """
    kernels = _kernels(_EIGHTHS, reach)
    grid = _EIGHTHS[:: 8 // density]
    lines = np.stack([np.interp(_EIGHTHS, grid, weights[:: 8 // density]) for weights in kernels.T], axis=1)
    return float(np.abs((kernels - lines).cumsum(axis=1).cumsum(axis=1)).sum(axis=1).max())


class TruePeakMeter:
    """Takes sound block by block, keeps the highest true peak of any channel."""

    def __init__(self, channels: int) -> None:
        """Set up for so many channels."""
        self._grids = [(Interpolator(offsets, REACH), slack(REACH, density)) for density, offsets in _GRIDS.items()]
        self._tails = [_Tail() for _ in range(channels)]
        self._peak = 0.0

    def feed(self, samples: Samples) -> None:
        """Take (frames, channels)."""
        for tail, column in zip(self._tails, samples.T, strict=True):
            self._look(tail.join(column))

    def peak(self) -> float:
        """Highest true peak, full scale at 1.0; ends the stream."""
        for tail in self._tails:
            self._look(tail.join(np.zeros(ROW + 2 * REACH, dtype=np.float32)))
        return self._peak

    def _look(self, wave: Wave) -> None:
        if not wave.size:
            return
        halves, _ = self._grids[0]  # half-way a wave can rise highest
        row_peaks = halves.row_peaks(wave)
        self._peak = max(self._peak, float(row_peaks.max()))
        stretches, bends = halves.candidates(wave, row_peaks, self._peak)
        for start in range(0, stretches.size, _BATCH):
            self._search(wave, stretches[start : start + _BATCH], bends[start : start + _BATCH])

    def _search(self, wave: Wave, stretches: Indices, bends: Wave) -> None:
        """Look at ever denser grids."""
        found = self._grids[0][0].sample_peaks(wave, stretches)
        for grid, rise in self._grids:
            if not stretches.size:
                return
            between = grid.magnitudes(wave, stretches).reshape(len(stretches), -1)
            found = np.maximum(found, between.max(axis=1))
            self._peak = max(self._peak, float(found.max()))
            chance = found + rise * bends > self._peak
            stretches, bends, found = stretches[chance], bends[chance], found[chance]


class _Tail:
    """Joins blocks to waves that overlap by twice the reach and cover whole rows."""

    def __init__(self) -> None:
        self._rest = np.zeros(REACH, dtype=np.float32)

    def join(self, column: Wave) -> Wave:
        wave = np.concatenate([self._rest, column])
        inside = wave.size - 2 * REACH
        end = inside - inside % ROW
        if end <= 0:
            self._rest = wave
            return wave[:0]
        self._rest = wave[end:].copy()
        return wave[: end + 2 * REACH]


def to_db(ratio: float) -> float | None:
    """Decibels of a ratio; None for zero."""
    return 20 * float(np.log10(ratio)) if ratio > 0 else None


def to_ratio(decibels: float) -> float:
    """Ratio of decibels."""
    return float(10 ** (decibels / 20))
