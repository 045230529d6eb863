"""Bring each MP3 home whole, and prove it.

Belongs here: the table `mixed_audio`; which artifacts there are, which of them to fetch and in what order; the
transfer with resume; the proof of bytes; publishing under the name of the right version.
Does not belong here: what becomes of the audio afterwards (`catalog`), how it is decoded (`audio`).
Comes in: the day's recordings and a listing. Goes out: MP3s byte for byte, and the rows of `mixed_audio`.
"""

from recall_pipeline.capture.artifacts import find_artifacts
from recall_pipeline.capture.day import Captured, Wanted, capture_day
from recall_pipeline.capture.rows import MIXED_AUDIO, MixedAudioRow

__all__ = ["MIXED_AUDIO", "Captured", "MixedAudioRow", "Wanted", "capture_day", "find_artifacts"]
