"""EBU R 128: integrated loudness and loudness range from energies of 100 ms.

Integrated loudness with both gates: ITU-R BS.1770-4. Loudness range: EBU Tech 3342.
An energy here is the mean square of K-weighted samples, summed over weighted channels.
"""

import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.decoding import Samples
from recall_pipeline.audio.k_weighting import KWeighting

Energies = npt.NDArray[np.float64]

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
        self._hops = HopEnergies(rate_hz // HOPS_A_SECOND)
        self._weights = np.array(weights)

    def feed(self, samples: Samples) -> None:
        """Take (frames, channels)."""
        weighted = self._weighting.filter(samples)
        self._hops.feed(self._weights @ np.square(weighted, out=weighted))

    @property
    def energies(self) -> Energies:
        """Energy of every whole 100 ms so far."""
        return self._hops.energies


class HopEnergies:
    """Means of a stream of squares over hops of equal length, across the seams of its blocks."""

    def __init__(self, hop: int) -> None:
        """Set up for hops of so many samples."""
        self._hop = hop
        self._rest = np.empty(0)
        self._means: list[Energies] = []

    def feed(self, squares: npt.NDArray[np.float64]) -> Energies:
        """Take squares; give the means of the hops that they complete."""
        if self._rest.size:
            squares = np.concatenate([self._rest, squares])
        whole = squares.size - squares.size % self._hop
        means: Energies = squares[:whole].reshape(-1, self._hop).mean(axis=1)
        self._rest = squares[whole:].copy()
        self._means.append(means)
        return means

    @property
    def energies(self) -> Energies:
        """All means so far."""
        return np.concatenate(self._means) if self._means else np.empty(0)


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
    return np.convolve(energies, np.full(hops, 1 / hops), "valid")


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
