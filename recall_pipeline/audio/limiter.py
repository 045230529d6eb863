"""A true-peak limiter, as a curve of gain reduction over blocks of a millisecond.

The curve never exceeds what a block's peak allows. It falls linearly over the 5 ms before a peak and
recovers by 120 dB per second after it. `max_db` bounds how long a recovery takes, so any part of the
curve can be computed on its own.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Curve = npt.NDArray[np.float32]
"""One value per block: a gain reduction in dB, 0 or below; or a peak, full scale at 1.0."""

LOOKAHEAD_BLOCKS = 5
_RELEASE_DB_PER_BLOCK = 0.12
_MIN_PEAK = 1e-9


@dataclass(frozen=True, slots=True)
class Limiter:
    """Reduces peaks to `ceiling` (full scale at 1.0) by at most `max_db`."""

    ceiling: float
    max_db: float

    @property
    def history_blocks(self) -> int:
        """How many earlier blocks can affect a block."""
        return int(self.max_db / _RELEASE_DB_PER_BLOCK) + 2 * LOOKAHEAD_BLOCKS

    def reduction_db(self, peaks: Curve) -> Curve:
        """Return the gain reduction of all blocks but the first `history_blocks` and the last LOOKAHEAD_BLOCKS."""
        allowed = np.log10(np.minimum(1, self.ceiling / np.maximum(peaks, _MIN_PEAK)))
        lowest = _minimum_ahead(20 * allowed.astype(np.float64))
        slope = _RELEASE_DB_PER_BLOCK * np.arange(lowest.size)
        recovering = np.minimum.accumulate(lowest - slope) + slope
        return _moving_average(recovering)[self.history_blocks - LOOKAHEAD_BLOCKS :].astype(np.float32)


def _minimum_ahead(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the minimum of each value and its lookahead; LOOKAHEAD_BLOCKS values shorter."""
    size = values.size - LOOKAHEAD_BLOCKS
    lowest = values[:size].copy()
    for ahead in range(1, LOOKAHEAD_BLOCKS + 1):
        np.minimum(lowest, values[ahead : ahead + size], out=lowest)
    return lowest


def _moving_average(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the mean of each value and the LOOKAHEAD_BLOCKS before it; LOOKAHEAD_BLOCKS values shorter."""
    total = np.cumsum(np.concatenate([[0.0], values]))
    width = LOOKAHEAD_BLOCKS + 1
    return np.asarray(np.minimum((total[width:] - total[:-width]) / width, 0))
