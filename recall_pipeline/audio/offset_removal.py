"""Remove a constant offset under quiet audio, and the clicks where it starts and ends."""

import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.decoder import Samples
from recall_pipeline.audio.k_weighting import HighPass

_HIGH_PASS_HZ = 20.0
_FRAMES_PER_SECOND = 100
_MUTED_BEFORE, _MUTED_AFTER = 1, 7  # frames of 10 ms: the high-pass recovers in 60 ms


class OffsetRemoval:
    """A high-pass that keeps its state between blocks."""

    def __init__(self, rate_hz: int, channels: int, min_step: float) -> None:
        """Start a stream; where the offset changes by more than `min_step` (full scale at 1.0), it is muted."""
        self._high_pass = HighPass(rate_hz, channels, _HIGH_PASS_HZ)
        self._frame_samples = rate_hz // _FRAMES_PER_SECOND
        self._min_step = min_step
        self._offset: npt.NDArray[np.float32] | None = None
        self._last_mean = np.zeros(channels, dtype=np.float32)
        self._muted_frames = 0

    def filter(self, samples: Samples) -> Samples:
        """Filter a block of some seconds, shape (frames, channels); return the same shape."""
        if not len(samples):
            return samples
        if self._offset is None:
            self._offset = self._last_mean = np.median(samples, axis=0)
        filtered = self._high_pass.filter(samples - self._offset)
        return filtered * self._gains(samples)[:, None]

    def _gains(self, samples: Samples) -> npt.NDArray[np.float32]:
        """Return a gain per sample: 0 around steps of the offset, else 1."""
        starts = np.arange(0, len(samples), self._frame_samples)
        sizes = np.diff(starts, append=len(samples))
        means = np.add.reduceat(samples, starts, axis=0) / sizes[:, None]
        steps = np.abs(np.diff(means, axis=0, prepend=self._last_mean[None])).max(axis=1) > self._min_step
        gains = np.ones(len(starts) + _MUTED_AFTER, dtype=np.float32)
        gains[: self._muted_frames] = 0
        for at in np.flatnonzero(steps):
            gains[max(0, at - _MUTED_BEFORE) : at + _MUTED_AFTER] = 0
        self._muted_frames = int(np.count_nonzero(gains[len(starts) :] == 0))
        self._last_mean = means[-1]
        return np.repeat(gains[: len(starts)], sizes)
