"""EBU R 128: integrated loudness and loudness range, from energies per hop of 100 ms.

Integrated loudness with both gates follows ITU-R BS.1770-4, loudness range EBU Tech 3342.
An energy is the mean square of K-weighted samples, summed over weighted channels.
"""

from array import array

import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.decoder import Samples
from recall_pipeline.audio.k_weighting import KWeighting

Energies = npt.NDArray[np.floating]
"""Mean K-weighted squares, one per hop or block unless a shape is stated."""

HOPS_PER_SECOND = 10
SILENCE_LUFS = -70.0  # the absolute gate
_OFFSET_LU = -0.691
_GATING_BLOCK_HOPS = 4
_SHORT_TERM_HOPS = 30
_RELATIVE_GATE = 10 ** (-10 / 10)
_RANGE_GATE = 10 ** (-20 / 10)
_RANGE_PERCENTILES = (10, 95)


class LoudnessMeter:
    """Collects one energy per hop of 100 ms."""

    def __init__(self, rate_hz: int, weights: tuple[float, ...]) -> None:
        """Start a stream with one channel per weight."""
        self._weighting = KWeighting(rate_hz, len(weights))
        self._hops = Framer(rate_hz // HOPS_PER_SECOND)
        self._weights = np.array(weights)
        self._hop_energies = FloatBuffer()

    def feed(self, samples: Samples) -> None:
        """Add samples, shape (frames, channels)."""
        hops = self._hops.feed(self._weighting.filter(samples))
        self._hop_energies.extend(mean_squares(hops) @ self._weights)

    @property
    def hop_energies(self) -> Energies:
        """Energies of all complete hops so far."""
        return self._hop_energies.values


class FloatBuffer:
    """A growing array of float32. Keeping hours of values in many small arrays would take ten times the memory."""

    def __init__(self) -> None:
        """Start empty."""
        self._numbers = array("f")

    def extend(self, values: npt.NDArray[np.floating]) -> None:
        """Append values."""
        self._numbers.frombytes(values.astype(np.float32).tobytes())

    @property
    def values(self) -> Energies:
        """View of all values so far. While it is referenced, `extend` raises BufferError."""
        return np.frombuffer(self._numbers, dtype=np.float32)


class Framer:
    """Cuts a stream of rows into groups of equal size, whatever the sizes of its parts."""

    def __init__(self, size: int) -> None:
        """Start a stream with groups of `size` rows."""
        self._size = size
        self._rest: Energies | None = None

    def feed(self, rows: Energies) -> Energies:
        """Add rows, shape (rows, columns), and return completed groups, shape (groups, size, columns)."""
        if self._rest is not None and len(self._rest):
            rows = np.concatenate([self._rest, rows])
        whole = len(rows) - len(rows) % self._size
        self._rest = rows[whole:].copy()
        return rows[:whole].reshape(-1, self._size, rows.shape[1])


def mean_squares(groups: Energies) -> Energies:
    """Return the mean square of each group and column, shape (groups, columns)."""
    return np.asarray(np.einsum("gsc,gsc->gc", groups, groups) / groups.shape[1])


def energy_to_lufs(energy: float) -> float:
    """Return the loudness in LUFS of an energy above zero."""
    return _OFFSET_LU + 10 * float(np.log10(energy))


def lufs_to_energy(lufs: float) -> float:
    """Return the energy of a loudness in LUFS."""
    return float(10 ** ((lufs - _OFFSET_LU) / 10))


def sliding_mean(energies: Energies, hops: int) -> Energies:
    """Return the mean of each `hops` consecutive energies; empty if there are fewer."""
    if energies.size < hops:
        return np.empty(0)
    return np.convolve(energies, np.full(hops, 1 / hops, dtype=energies.dtype), "valid")


def integrated_lufs(energies: Energies) -> float | None:
    """Return the integrated loudness in LUFS; None (outcome `silent`) if no block of 400 ms is above -70 LUFS."""
    blocks = sliding_mean(energies, _GATING_BLOCK_HOPS)
    blocks = blocks[blocks > lufs_to_energy(SILENCE_LUFS)]
    if not blocks.size:
        return None
    return energy_to_lufs(blocks[blocks > _RELATIVE_GATE * blocks.mean()].mean())


def loudness_range_lu(energies: Energies) -> float | None:
    """Return the loudness range in LU; None if no window of 3 s is above -70 LUFS."""
    blocks = sliding_mean(energies, _SHORT_TERM_HOPS)
    blocks = blocks[blocks > lufs_to_energy(SILENCE_LUFS)]
    if not blocks.size:
        return None
    blocks = blocks[blocks > _RANGE_GATE * blocks.mean()]
    low, high = np.percentile(blocks, _RANGE_PERCENTILES)
    return float(10 * np.log10(high / low))
