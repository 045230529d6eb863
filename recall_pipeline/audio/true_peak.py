"""True peak (ITU-R BS.1770-4 annex 2), interpolated only where the highest peak can be.

Between two samples a band-limited wave can rise above both, but two bounds hold for any wave. It
exceeds the straight line between them by at most a constant times the largest second difference
nearby. It never exceeds the largest sample nearby times the interpolator's gain. Where these bounds
cannot exceed the highest peak so far, nothing is interpolated. The remaining stretches are
interpolated at 2, 4 and 8 times the rate, each only where the previous step leaves a chance.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.decoder import Samples

Wave = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]

ROW_SAMPLES = 512
"""Samples per row, for which the bounds are computed together."""

STRETCH_SAMPLES = 64
"""Samples per stretch, which are interpolated together. A row has several stretches."""

HALF_WIDTH_SAMPLES = 24
"""Half width of the meter's interpolation kernel."""

_STRETCHES_PER_ROW = ROW_SAMPLES // STRETCH_SAMPLES
_EIGHTHS = np.arange(9) / 8
_OFFSETS_BY_OVERSAMPLING = {2: (0.5,), 4: (0.25, 0.75), 8: (0.125, 0.375, 0.625, 0.875)}
_BATCH_STRETCHES = 1024  # per multiplication: half a megabyte, which fits into the cache


class Interpolator:
    """Interpolates at some offsets after each sample, by a Kaiser-windowed sinc that preserves straight lines.

    Waves have to be contiguous, and to have whole rows plus a margin of `half_width` samples at both ends.
    """

    def __init__(self, offsets: Sequence[float], half_width: int) -> None:
        """Prepare for offsets between 0 and 1, with a kernel of `half_width` samples to each side."""
        self.half_width = half_width
        self._overshoot_bound = overshoot_bound(half_width, 1)
        kernels = _kernels(np.array(offsets), half_width)
        self._gain = float(np.abs(kernels).sum(axis=1).max())
        matrix = np.zeros((STRETCH_SAMPLES + 2 * half_width, len(offsets), STRETCH_SAMPLES), dtype=np.float32)
        for at in range(STRETCH_SAMPLES):
            matrix[at : at + 2 * half_width + 1, :, at] = kernels.T
        self._matrix = matrix.reshape(STRETCH_SAMPLES + 2 * half_width, -1)

    def row_peaks(self, wave: Wave) -> Wave:
        """Return the largest sample magnitude of each row and its margins."""
        rows = self._windows(wave, ROW_SAMPLES)
        return np.asarray(np.maximum(rows.max(axis=1), -rows.min(axis=1)))

    def candidates(self, wave: Wave, row_peaks: Wave, level: float) -> tuple[Indices, Wave]:
        """Return the stretches where a value between samples may exceed `level`, and their curvatures."""
        rows = self._windows(wave, ROW_SAMPLES)
        at = np.flatnonzero(row_peaks * self._gain > level)
        curvatures = _curvatures(rows[at])
        near = row_peaks[at] + self._overshoot_bound * curvatures > level
        at, curvatures = at[near], curvatures[near]
        min_magnitudes = level - self._overshoot_bound * curvatures
        above = np.abs(rows[at, self.half_width : self.half_width + ROW_SAMPLES + 1]) > min_magnitudes[:, None]
        beside = (above[:, :-1] | above[:, 1:]).reshape(len(at), _STRETCHES_PER_ROW, STRETCH_SAMPLES)
        row, stretch = np.nonzero(beside.any(axis=2))
        return at[row] * _STRETCHES_PER_ROW + stretch, curvatures[row]

    def magnitudes(self, wave: Wave, stretches: Indices) -> Wave:
        """Return the interpolated magnitudes of stretches, shape (stretches, offsets, STRETCH_SAMPLES)."""
        values = self._windows(wave, STRETCH_SAMPLES)[stretches] @ self._matrix
        return np.asarray(np.abs(values, out=values).reshape(len(stretches), -1, STRETCH_SAMPLES))

    def sample_peaks(self, wave: Wave, stretches: Indices) -> Wave:
        """Return the largest sample magnitude of each stretch, including the first sample after it."""
        samples = self._windows(wave, STRETCH_SAMPLES)[
            stretches, self.half_width : self.half_width + STRETCH_SAMPLES + 1
        ]
        return np.asarray(np.abs(samples).max(axis=1))

    def _windows(self, wave: Wave, size: int) -> Wave:
        """Return a view of the wave in parts of `size` samples, each with its margins."""
        shape = (wave.size - 2 * self.half_width) // size, size + 2 * self.half_width
        return np.ndarray(shape, np.float32, wave, 0, (4 * size, 4))


def _curvatures(rows: Wave) -> Wave:
    """Return the largest magnitude of the second differences of each row. Overwrites the rows."""
    wave = rows.ravel()  # one long row takes half the time; differences across row boundaries are skipped
    steps = wave[1:] - wave[:-1]
    np.subtract(steps[1:], steps[:-1], out=wave[:-2])
    return np.asarray(np.abs(wave, out=wave).reshape(rows.shape)[:, :-2].max(axis=1))


def _kernels(offsets: npt.NDArray[np.float64], half_width: int) -> npt.NDArray[np.float64]:
    """Return the kernel of each offset, shape (offsets, 2 * half_width + 1)."""
    positions = np.arange(-half_width, half_width + 1)
    distances = positions[None, :] - offsets[:, None]
    window = np.i0(9 * np.sqrt(np.clip(1 - (distances / (half_width + 1)) ** 2, 0, 1))) / np.i0(9)
    kernels = np.sinc(distances) * window
    # The window distorts straight lines by under 0.1%: correct that at the two samples in the middle.
    kernels[:, half_width + 1] += offsets - kernels @ positions
    kernels[:, half_width] += 1 - kernels.sum(axis=1)
    return np.asarray(kernels)


def overshoot_bound(half_width: int, oversampling: int) -> float:
    """Return how far a value can exceed the line between two grid points, as a multiple of the curvature.

    The interpolated value minus that line is a weighted sum of second differences. Their weights are
    those of the kernel minus those of the line, summed twice.
    """
    kernels = _kernels(_EIGHTHS, half_width)
    grid = _EIGHTHS[:: 8 // oversampling]
    lines = np.stack([np.interp(_EIGHTHS, grid, weights[:: 8 // oversampling]) for weights in kernels.T], axis=1)
    return float(np.abs((kernels - lines).cumsum(axis=1).cumsum(axis=1)).sum(axis=1).max())


class TruePeakMeter:
    """Measures the highest true peak of any channel, block by block."""

    def __init__(self, channels: int) -> None:
        """Start a stream of `channels` channels."""
        self._grids = [
            (Interpolator(offsets, HALF_WIDTH_SAMPLES), overshoot_bound(HALF_WIDTH_SAMPLES, oversampling))
            for oversampling, offsets in _OFFSETS_BY_OVERSAMPLING.items()
        ]
        self._overlaps = [_OverlapBuffer() for _ in range(channels)]
        self._peak = 0.0

    def feed(self, samples: Samples) -> None:
        """Add samples, shape (frames, channels)."""
        for overlap, column in zip(self._overlaps, samples.T, strict=True):
            self._measure(overlap.join(column))

    def peak(self) -> float:
        """Return the highest true peak, full scale at 1.0. Ends the stream."""
        for overlap in self._overlaps:
            self._measure(overlap.join(np.zeros(ROW_SAMPLES + 2 * HALF_WIDTH_SAMPLES, dtype=np.float32)))
        return self._peak

    def _measure(self, wave: Wave) -> None:
        if not wave.size:
            return
        halves, _ = self._grids[0]  # a wave can rise highest half-way between samples
        row_peaks = halves.row_peaks(wave)
        self._peak = max(self._peak, float(row_peaks.max()))
        stretches, curvatures = halves.candidates(wave, row_peaks, self._peak)
        for start in range(0, stretches.size, _BATCH_STRETCHES):
            self._search(
                wave, stretches[start : start + _BATCH_STRETCHES], curvatures[start : start + _BATCH_STRETCHES]
            )

    def _search(self, wave: Wave, stretches: Indices, curvatures: Wave) -> None:
        """Interpolate stretches on ever denser grids."""
        peaks = self._grids[0][0].sample_peaks(wave, stretches)
        for grid, bound in self._grids:
            if not stretches.size:
                return
            between = grid.magnitudes(wave, stretches).reshape(len(stretches), -1)
            peaks = np.maximum(peaks, between.max(axis=1))
            self._peak = max(self._peak, float(peaks.max()))
            can_exceed = peaks + bound * curvatures > self._peak
            stretches, curvatures, peaks = stretches[can_exceed], curvatures[can_exceed], peaks[can_exceed]


class _OverlapBuffer:
    """Joins blocks into waves of whole rows that overlap by twice the kernel's half width."""

    def __init__(self) -> None:
        self._rest = np.zeros(HALF_WIDTH_SAMPLES, dtype=np.float32)

    def join(self, column: Wave) -> Wave:
        wave = np.concatenate([self._rest, column])
        inside = wave.size - 2 * HALF_WIDTH_SAMPLES
        end = inside - inside % ROW_SAMPLES
        if end <= 0:
            self._rest = wave
            return wave[:0]
        self._rest = wave[end:].copy()
        return wave[: end + 2 * HALF_WIDTH_SAMPLES]


def to_db(ratio: float) -> float | None:
    """Return the decibels of an amplitude ratio; None for zero."""
    return 20 * float(np.log10(ratio)) if ratio > 0 else None


def to_ratio(decibels: float) -> float:
    """Return the amplitude ratio of decibels."""
    return float(10 ** (decibels / 20))
