"""Cut samples off decoded frames, and make silent ones."""

from typing import Any

import av
import numpy as np
from av.audio.frame import format_dtypes

from recall_pipeline.audio.mp3_length import StatedLength


class SampleTrim:
    """Removes the encoder delay and padding that a length frame states from the frames after it."""

    def __init__(self, length: StatedLength | None = None) -> None:
        """Start at the first sample after a length frame; without one, nothing is removed."""
        self._position = 0
        self._cuts = [(0, length.skipped_samples), (length.discard_from, length.discard_to)] if length else []

    def kept(self, frame: av.AudioFrame) -> av.AudioFrame | None:
        """Return the part of the next frame that belongs to the recording; None if none of it does."""
        start, end = self._position, self._position + frame.samples
        self._position = end
        first, last = start, end
        for cut_from, cut_to in self._cuts:
            if cut_from <= first < cut_to:
                first = min(cut_to, last)
            if first < cut_from < last <= cut_to:
                last = cut_from
        if (first, last) == (start, end):
            return frame
        return _slice(frame, first - start, last - start) if first < last else None


def _slice(frame: av.AudioFrame, start: int, end: int) -> av.AudioFrame:
    return _like(frame, np.ascontiguousarray(frame.to_ndarray()[:, start:end]))


def silent_frame(like: av.AudioFrame) -> av.AudioFrame:
    """Return silence of the length and format of a planar frame."""
    planes = len(like.layout.channels)
    return _like(like, np.zeros((planes, like.samples), np.dtype(format_dtypes[like.format.name])))


def _like(frame: av.AudioFrame, data: Any) -> av.AudioFrame:
    made = av.AudioFrame.from_ndarray(data, frame.format.name, frame.layout.name)
    made.sample_rate = frame.sample_rate
    return made
