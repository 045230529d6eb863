"""EBU R 128: integrated loudness and loudness range from energies of 100 ms.

Integrated loudness with both gates: ITU-R BS.1770-4. Loudness range: EBU Tech 3342.
An energy here is the mean square of K-weighted samples, summed over weighted channels.
"""

from array import array

import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.decoder import Samples
from recall_pipeline.audio.k_weighting import KWeighting

Energies = npt.NDArray[np.floating]

HOPS_A_SECOND = 10
SILENCE_LUFS = -70.0  # the absolute gate: below it nothing counts
SHORTEST_SECONDS = 0.4  # one gating block; loudness of less does not exist
_OFFSET = -0.691
_RELATIVE_GATE = 10 ** (-10 / 10)
_RANGE_GATE = 10 ** (-20 / 10)
_RANGE_PERCENTILES = (10, 95)


class LoudnessMeter:
    """Takes sound block by block, keeps one energy a 100 ms."""

    def __init__(self, rate_hz: int, weights: tuple[float, ...]) -> None:
        """Set up for one channel a weight."""
        self._weighting = KWeighting(rate_hz, len(weights))
        self._hops = Framer(rate_hz // HOPS_A_SECOND)
        self._weights = np.array(weights)
        self._energies = Series()

    def feed(self, samples: Samples) -> None:
        """Take (frames, channels)."""
        hops = self._hops.feed(self._weighting.filter(samples))
        self._energies.extend(mean_squares(hops) @ self._weights)

    @property
    def energies(self) -> Energies:
        """Energy of every whole 100 ms so far."""
        return self._energies.values


class Series:
    """Numbers that keep coming, four bytes each: hours of them in little arrays would take ten times as much."""

    def __init__(self) -> None:
        """Start empty."""
        self._numbers = array("f")

    def extend(self, values: npt.NDArray[np.floating]) -> None:
        """Add numbers at the end."""
        self._numbers.frombytes(values.astype(np.float32).tobytes())

    @property
    def values(self) -> Energies:
        """All numbers so far; nothing can be added while this is in use."""
        return np.frombuffer(self._numbers, dtype=np.float32)


class Framer:
    """Cuts a stream of rows into groups of equal size, across the seams of its blocks."""

    def __init__(self, size: int) -> None:
        """Set up for groups of so many rows."""
        self._size = size
        self._rest: Energies | None = None

    def feed(self, rows: Energies) -> Energies:
        """Take (rows, columns); give the groups they complete, shape (groups, size, columns)."""
        if self._rest is not None and len(self._rest):
            rows = np.concatenate([self._rest, rows])
        whole = len(rows) - len(rows) % self._size
        self._rest = rows[whole:].copy()
        return rows[:whole].reshape(-1, self._size, rows.shape[1])


def mean_squares(groups: Energies) -> Energies:
    """Mean square of every group and column, shape (groups, columns)."""
    return np.asarray(np.einsum("gsc,gsc->gc", groups, groups) / groups.shape[1])


def to_lufs(energy: float) -> float:
    """LUFS of an energy above zero."""
    return _OFFSET + 10 * float(np.log10(energy))


def to_energy(lufs: float) -> float:
    """Energy of a loudness."""
    return float(10 ** ((lufs - _OFFSET) / 10))


def sliding_mean(energies: Energies, hops: int) -> Energies:
    """Mean over every `hops` neighbours."""
    if energies.size < hops:
        return np.empty(0)
    return np.convolve(energies, np.full(hops, 1 / hops, dtype=energies.dtype), "valid")


def integrated_lufs(energies: Energies) -> float | None:
    """Integrated loudness; None when no 400 ms lie above -70 LUFS."""
    blocks = sliding_mean(energies, 4)
    blocks = blocks[blocks > to_energy(SILENCE_LUFS)]
    if not blocks.size:
        return None
    return to_lufs(blocks[blocks > _RELATIVE_GATE * blocks.mean()].mean())


def range_lu(energies: Energies) -> float | None:
    """Loudness range; None when no 3 s lie above -70 LUFS."""
    blocks = sliding_mean(energies, 30)
    blocks = blocks[blocks > to_energy(SILENCE_LUFS)]
    if not blocks.size:
        return None
    blocks = blocks[blocks > _RANGE_GATE * blocks.mean()]
    low, high = np.percentile(blocks, _RANGE_PERCENTILES)
    return float(10 * np.log10(high / low))
