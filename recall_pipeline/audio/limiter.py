"""A true-peak limiter as a curve of gain over blocks of a millisecond.

The curve never lies above what a block's peak allows, falls in a straight line over the 5 ms
before a peak and recovers by 120 dB a second after it. What it recovers from is bounded by the
cap on its depth, so any stretch of it can be computed alone.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Curve = npt.NDArray[np.float32]
"""Decibels, 0 or below, one a block."""

LOOKAHEAD_BLOCKS = 5
_RELEASE_DB_A_BLOCK = 0.12
_QUIET = 1e-9


@dataclass(frozen=True, slots=True)
class Limiter:
    """Presses peaks of at most `max_db` above it to `ceiling`, full scale at 1.0."""

    ceiling: float
    max_db: float

    @property
    def margin_blocks(self) -> int:
        """How many blocks before a block decide what it gets."""
        return int(self.max_db / _RELEASE_DB_A_BLOCK) + 2 * LOOKAHEAD_BLOCKS

    def reduction_db(self, peaks: Curve) -> Curve:
        """Limiting of the blocks that have `margin_blocks` before and LOOKAHEAD_BLOCKS after."""
        allowed = np.log10(np.minimum(1, self.ceiling / np.maximum(peaks, _QUIET)))
        least = _least_ahead(20 * allowed.astype(np.float64))
        slope = _RELEASE_DB_A_BLOCK * np.arange(least.size)
        recovering = np.minimum.accumulate(least - slope) + slope
        return _averaged(recovering)[self.margin_blocks - LOOKAHEAD_BLOCKS :].astype(np.float32)


def _least_ahead(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Smallest of each value and those in its lookahead; shorter by it."""
    size = values.size - LOOKAHEAD_BLOCKS
    least = values[:size].copy()
    for ahead in range(1, LOOKAHEAD_BLOCKS + 1):
        np.minimum(least, values[ahead : ahead + size], out=least)
    return least


def _averaged(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Mean of each value and as many before it as the lookahead; shorter by it."""
    total = np.cumsum(np.concatenate([[0.0], values]))
    width = LOOKAHEAD_BLOCKS + 1
    return np.asarray(np.minimum((total[width:] - total[:-width]) / width, 0))
