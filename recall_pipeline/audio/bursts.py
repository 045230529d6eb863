"""Mute bursts of damaged audio: in a lossy codec, a flipped bit can decode to a frame far above full scale.

No encoder's overshoot reaches the level used here. A single such frame would set the gain of the
whole recording.
"""

import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.findings import AudioFinding, AudioFindingCode

CLIP_LEVEL = 2.0
"""+6 dBFS: encoders overshoot less, damaged frames decode to as much as +72 dBFS."""

_PIECE_SAMPLES = 576


class BurstMute:
    """Replaces pieces of some 10 ms with a value above CLIP_LEVEL by silence, and fades around them."""

    def __init__(self) -> None:
        """Start with no burst."""
        self._bursts = 0
        self._first_seconds = 0.0

    def mute(self, samples: npt.NDArray[np.float32], start_seconds: float, rate_hz: int) -> npt.NDArray[np.float32]:
        """Return samples, shape (frames, channels), without their bursts; `start_seconds` is when they start."""
        starts = np.arange(0, len(samples), _PIECE_SAMPLES)
        peaks = np.maximum.reduceat(np.abs(samples).max(axis=1), starts)
        is_burst = ~(peaks <= CLIP_LEVEL)  # true for NaN as well
        if not self._bursts and is_burst.any():
            self._first_seconds = start_seconds + float(starts[is_burst.argmax()]) / rate_hz
        self._bursts += int(np.count_nonzero(np.diff(is_burst, prepend=False) & is_burst))
        return _gains(is_burst, len(samples))[:, None] * np.nan_to_num(samples, posinf=0, neginf=0)

    def finding(self) -> AudioFinding | None:
        """Return how many bursts were muted; None if there were none."""
        if not self._bursts:
            return None
        words = f"{self._bursts} bursts far above full scale muted, the first at {self._first_seconds:.1f} s"
        return AudioFinding(AudioFindingCode.DAMAGED_FRAMES, words)


def _gains(is_burst: npt.NDArray[np.bool_], samples: int) -> npt.NDArray[np.float32]:
    """Return a gain per sample: 0 in a burst, 1 elsewhere, with a fade of a piece before and after."""
    edges = np.ones(len(is_burst) + 1)
    edges[:-1][is_burst] = edges[1:][is_burst] = 0
    at = np.arange(samples) / _PIECE_SAMPLES
    return np.interp(at, np.arange(len(edges)), edges).astype(np.float32)
