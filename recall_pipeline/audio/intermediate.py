"""A recording between the two passes: at the output's rate and channels, not yet at its level."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.loudness import SILENCE_LUFS, Energies, integrated_lufs
from recall_pipeline.audio.sample_buffer import Spool
from recall_pipeline.audio.true_peak import ROW, STRETCH, Interpolator, to_ratio

BLOCKS_A_CHUNK = 8400  # whole hops, whether they have 100 blocks or 105
SILENCE_DBTP = -200.0

_REACH = 16
_QUARTERS = (0.25, 0.5, 0.75)
_BATCH = 1024


@dataclass(slots=True)
class Material:
    """What the first pass leaves for the second.

    A block is `block_samples` long, about a millisecond; `hop_blocks` of them make 100 ms.
    `sound` holds the samples, `energies` the mean K-weighted square of every whole block, summed
    over channels, `hops` the same for every 100 ms. Digital silence has a true peak of SILENCE_DBTP.
    """

    folder: Path
    channels: int
    block_samples: int
    hop_blocks: int
    hops: Energies = field(default_factory=lambda: np.empty(0))
    true_peak_db: float = SILENCE_DBTP
    sound: Spool = field(init=False)
    energies: Spool = field(init=False)
    _peaks: Spool | None = None

    def __post_init__(self) -> None:
        """Open the spools."""
        self.sound = Spool(self.folder, self.channels)
        self.energies = Spool(self.folder, 1)

    def __enter__(self) -> Self:
        """Give itself; leaving gives the disk its space back."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the spools."""
        for spool in (self.sound, self.energies, self._peaks):
            if spool is not None:
                spool.close()

    @property
    def is_silent(self) -> bool:
        """Whether there is no loudness that a gain could bring to a target."""
        return integrated_lufs(self.hops) is None

    @property
    def lufs(self) -> float:
        """Integrated loudness; SILENCE_LUFS where there is none."""
        lufs = integrated_lufs(self.hops)
        return SILENCE_LUFS if lufs is None else lufs

    @property
    def blocks(self) -> int:
        """How many blocks the sound fills, the last perhaps not wholly."""
        return -(-self.sound.rows // self.block_samples)

    def peaks(self, limiter_max_db: float) -> Spool:
        """True peak of every block that a limiter of this depth can ever reach, sample peak of all others.

        Found when first asked for, which is when a limiter is needed.
        """
        if self._peaks is None:
            self._peaks = Spool(self.folder, 1)
            interpolator = Interpolator(_QUARTERS, _REACH)
            least = to_ratio(self.true_peak_db - limiter_max_db)
            for start in range(0, self.blocks, BLOCKS_A_CHUNK):
                end = min(self.blocks, start + BLOCKS_A_CHUNK)
                self._peaks.append(self._block_peaks(interpolator, least, start, end)[:, None])
        return self._peaks

    def _block_peaks(self, interpolator: Interpolator, least: float, start: int, end: int) -> npt.NDArray[np.float32]:
        first, length = start * self.block_samples, (end - start) * self.block_samples
        whole = -(-length // ROW) * ROW
        samples = self.sound.read(first - _REACH, first + whole + _REACH)
        highest = np.zeros(whole, dtype=np.float32)
        for wave in np.ascontiguousarray(samples.T):
            np.maximum(highest, _true_peaks(wave, interpolator, least), out=highest)
        return _maxima(highest[:length].reshape(-1, self.block_samples))


def _true_peaks(wave: npt.NDArray[np.float32], interpolator: Interpolator, least: float) -> npt.NDArray[np.float32]:
    """Largest magnitude at and after each sample, where there are any above `least`; no reach at the ends."""
    peaks = np.abs(wave[_REACH:-_REACH]).reshape(-1, STRETCH)
    loud, _ = interpolator.candidates(wave, interpolator.row_peaks(wave), least)
    for at in range(0, loud.size, _BATCH):
        batch = loud[at : at + _BATCH]
        between = interpolator.magnitudes(wave, batch)
        peaks[batch] = np.maximum(peaks[batch], _maxima(between.swapaxes(1, 2)))
    return peaks.ravel()


def _maxima(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Largest along the last axis, column by column: ten times faster when it is short."""
    most = rows[..., 0].copy()
    for column in range(1, rows.shape[-1]):
        np.maximum(most, rows[..., column], out=most)
    return most
