"""A recording between the two passes: at the output's sample rate and channels, before gain."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.loudness import SILENCE_LUFS, Energies, integrated_lufs
from recall_pipeline.audio.sample_buffer import SampleBuffer
from recall_pipeline.audio.true_peak import ROW_SAMPLES, STRETCH_SAMPLES, Interpolator, to_ratio

BLOCKS_PER_CHUNK = 8400  # whole hops, with 100 or 105 blocks per hop
SILENCE_DBTP = -200.0

_HALF_WIDTH_SAMPLES = 16
_QUARTER_OFFSETS = (0.25, 0.5, 0.75)
_BATCH_STRETCHES = 1024


@dataclass(slots=True)
class Intermediate:
    """Samples and energies that the analysis pass writes and the render pass reads.

    A block has `samples_per_block` samples, about a millisecond; `blocks_per_hop` blocks make a hop of
    100 ms. `samples` has shape (frames, channels). `block_energies` has the mean K-weighted square of
    each whole block, summed over channels; `hop_energies` has the same for each hop. Digital silence
    has a true peak of SILENCE_DBTP. Use it as a context manager: leaving it deletes its files.
    """

    folder: Path
    channels: int
    samples_per_block: int
    blocks_per_hop: int
    hop_energies: Energies = field(default_factory=lambda: np.empty(0))
    true_peak_dbtp: float = SILENCE_DBTP
    samples: SampleBuffer = field(init=False)
    block_energies: SampleBuffer = field(init=False)
    _peak_buffer: SampleBuffer | None = None

    def __post_init__(self) -> None:
        """Open the buffers."""
        self.samples = SampleBuffer(self.folder, self.channels)
        self.block_energies = SampleBuffer(self.folder, 1)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the buffers, which frees their disk space."""
        for buffer in (self.samples, self.block_energies, self._peak_buffer):
            if buffer is not None:
                buffer.close()

    @property
    def is_silent(self) -> bool:
        """Whether nothing is above the loudness gate, so that no gain can reach a target."""
        return integrated_lufs(self.hop_energies) is None

    @property
    def lufs(self) -> float:
        """Integrated loudness in LUFS; SILENCE_LUFS if the recording is silent."""
        lufs = integrated_lufs(self.hop_energies)
        return SILENCE_LUFS if lufs is None else lufs

    @property
    def block_count(self) -> int:
        """Number of blocks; the last one may be incomplete."""
        return -(-self.samples.rows // self.samples_per_block)

    def block_peaks(self, limiter_max_db: float) -> SampleBuffer:
        """Return one peak per block: the true peak where a limiter of this depth can act, else the sample peak.

        Computed at the first call, which happens only when a limiter is needed.
        """
        if self._peak_buffer is None:
            self._peak_buffer = SampleBuffer(self.folder, 1)
            interpolator = Interpolator(_QUARTER_OFFSETS, _HALF_WIDTH_SAMPLES)
            min_peak = to_ratio(self.true_peak_dbtp - limiter_max_db)
            for start in range(0, self.block_count, BLOCKS_PER_CHUNK):
                end = min(self.block_count, start + BLOCKS_PER_CHUNK)
                self._peak_buffer.append(self._peaks_between(interpolator, min_peak, start, end)[:, None])
        return self._peak_buffer

    def _peaks_between(
        self, interpolator: Interpolator, min_peak: float, start: int, end: int
    ) -> npt.NDArray[np.float32]:
        first, length = start * self.samples_per_block, (end - start) * self.samples_per_block
        whole = -(-length // ROW_SAMPLES) * ROW_SAMPLES
        samples = self.samples.read(first - _HALF_WIDTH_SAMPLES, first + whole + _HALF_WIDTH_SAMPLES)
        highest = np.zeros(whole, dtype=np.float32)
        for wave in np.ascontiguousarray(samples.T):
            np.maximum(highest, _true_peaks(wave, interpolator, min_peak), out=highest)
        return _max_of_last_axis(highest[:length].reshape(-1, self.samples_per_block))


def _true_peaks(wave: npt.NDArray[np.float32], interpolator: Interpolator, min_peak: float) -> npt.NDArray[np.float32]:
    """Return the largest magnitude at and after each sample, interpolated where it may exceed `min_peak`.

    The margins of `_HALF_WIDTH_SAMPLES` at both ends are cut off.
    """
    peaks = np.abs(wave[_HALF_WIDTH_SAMPLES:-_HALF_WIDTH_SAMPLES]).reshape(-1, STRETCH_SAMPLES)
    loud, _ = interpolator.candidates(wave, interpolator.row_peaks(wave), min_peak)
    for start in range(0, loud.size, _BATCH_STRETCHES):
        batch = loud[start : start + _BATCH_STRETCHES]
        between = interpolator.magnitudes(wave, batch)
        peaks[batch] = np.maximum(peaks[batch], _max_of_last_axis(between.swapaxes(1, 2)))
    return peaks.ravel()


def _max_of_last_axis(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the maximum along the last axis, column by column: ten times faster if that axis is short."""
    maxima = rows[..., 0].copy()
    for column in range(1, rows.shape[-1]):
        np.maximum(maxima, rows[..., column], out=maxima)
    return maxima
