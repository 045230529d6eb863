"""Windows for transcription: cut in silences, one in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.decoder import Decoder, Samples
from recall_pipeline.audio.resample import resample_blocks
from recall_pipeline.audio.silence import runs

if TYPE_CHECKING:
    from pydub import AudioSegment

_FRAME_SECONDS = 0.02
_MIN_PAUSE_FRAMES = 10  # 0.2 s: longer than the stops within words
_SILENCE_RATIO = 10 ** (-30 / 10)
_SMOOTH_FRAMES = 5  # 0.1 s


@dataclass(frozen=True, slots=True)
class Segment:
    """A window of a recording. Each window starts where the previous one ends.

    `pcm` contains its samples: 16-bit little-endian, channels interleaved.
    """

    start_seconds: float
    end_seconds: float
    sample_rate_hz: int
    channels: int
    pcm: bytes

    def to_audio_segment(self) -> AudioSegment:
        """Return the window as a pydub AudioSegment, without any use of the ffmpeg program."""
        from pydub import AudioSegment

        return AudioSegment(data=self.pcm, sample_width=2, frame_rate=self.sample_rate_hz, channels=self.channels)


def segments(path: Path, max_seconds: float = 30.0) -> Iterator[Segment]:
    """Yield windows of at most `max_seconds` that end in pauses and cover the file without gaps.

    A window without a pause of 0.2 s is cut at its quietest moment, possibly inside a word.
    Raises NotAudio if the file has no decodable audio, OSError if it cannot be read, ValueError if
    `max_seconds` is below 1.
    """
    if max_seconds < 1:
        raise ValueError(f"max_seconds is {max_seconds}: use 1 or more")
    blocks = Decoder(path).blocks()
    first = next(blocks)
    rate_hz = first.sample_rate_hz
    start, max_frames = 0, int(max_seconds * rate_hz)
    window = np.empty((0, len(first.layout)), dtype=np.float32)
    for samples in resample_blocks(chain([first], blocks), rate_hz, first.layout):
        window = np.concatenate([window, samples])
        while len(window) > max_frames:
            cut = _cut_position(window[:max_frames], rate_hz)
            yield _segment(window[:cut], start, rate_hz)
            start, window = start + cut, window[cut:]
    if len(window):
        yield _segment(window, start, rate_hz)


def _segment(samples: Samples, start: int, rate_hz: int) -> Segment:
    pcm = np.clip(np.rint(samples * np.float32(32768)), -32768, 32767).astype("<i2")
    end = start + len(samples)
    return Segment(start / rate_hz, end / rate_hz, rate_hz, samples.shape[1], pcm.tobytes())


def _cut_position(window: Samples, rate_hz: int) -> int:
    """Return the sample at which to cut: in the longest pause of the second half, else in the last pause."""
    size = int(_FRAME_SECONDS * rate_hz)
    whole = len(window) - len(window) % size
    frames = np.square(window[:whole]).reshape(-1, size * window.shape[1]).mean(axis=1)
    half = len(frames) // 2
    quiet = frames < _SILENCE_RATIO * np.percentile(frames, 95)
    pauses = [(start, end) for start, end in runs(quiet) if start and end - start >= _MIN_PAUSE_FRAMES]
    late = [pause for pause in pauses if pause[0] >= half]
    if not pauses:
        return _quietest(frames, half) * size
    start, end = max(late, key=lambda pause: pause[1] - pause[0]) if late else pauses[-1]
    return (start + end) // 2 * size


def _quietest(frames: npt.NDArray[np.float32], first: int) -> int:
    """Return the middle of the quietest 0.1 s at or after frame `first`."""
    smooth = np.convolve(frames[first:], np.ones(_SMOOTH_FRAMES), "valid")
    return first + int(smooth.argmin()) + _SMOOTH_FRAMES // 2 + 1
