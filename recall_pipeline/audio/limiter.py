"""A true-peak limiter as a curve of gain over blocks of a millisecond.

The curve never lies above what a block's peak allows, falls in a straight line of 5 ms before a
peak and recovers by 120 dB a second after it. It depends on nothing further back than it takes to
recover from the deepest limiting, so that any stretch of it can be computed alone.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Curve = npt.NDArray[np.float32]

LOOKAHEAD_BLOCKS = 5
_RELEASE_DB_A_BLOCK = 0.12


@dataclass(frozen=True, slots=True)
class Limiter:
    """Presses every peak to `ceiling`, full scale at 1.0."""

    ceiling: float

    def reduction_db(self, peaks: Curve, gain: float, start: int, end: int) -> Curve:
        """Limiting in dB (0 or below) of blocks start to end, given peaks before the gain.

        `peaks` must begin `margin` blocks before start and end LOOKAHEAD_BLOCKS after end; the
        indices count from its beginning.
        """
        needed = 20 * np.log10(np.minimum(1, self.ceiling / np.maximum(peaks * gain, 1e-9)))
        ahead = _minimum_ahead(needed, LOOKAHEAD_BLOCKS)
        slope = _RELEASE_DB_A_BLOCK * np.arange(ahead.size)
        recovering = np.minimum.accumulate(ahead - slope) + slope
        total = np.concatenate([[0.0], np.cumsum(recovering)])
        width = LOOKAHEAD_BLOCKS + 1
        averaged = (total[start + 1 : end + 1] - total[start + 1 - width : end + 1 - width]) / width
        return np.minimum(averaged, 0).astype(np.float32)

    def margin(self, deepest_db: float) -> int:
        """Blocks of history that decide the curve at a block."""
        return int(deepest_db / _RELEASE_DB_A_BLOCK) + 2 * LOOKAHEAD_BLOCKS + 2


def _minimum_ahead(values: npt.NDArray[np.float64], blocks: int) -> npt.NDArray[np.float64]:
    """Smallest of each value and the `blocks` after it."""
    padded = np.concatenate([values, np.zeros(blocks)])
    least = values.copy()
    for shift in range(1, blocks + 1):
        np.minimum(least, padded[shift : shift + values.size], out=least)
    return least
