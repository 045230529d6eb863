"""An MP3 as a source of decoded frames."""

from collections.abc import Iterator
from pathlib import Path

import av

from recall_pipeline.audio.damage import Damage
from recall_pipeline.audio.mp3_parts import mp3_parts
from recall_pipeline.audio.mp3_stream import Mp3Stream

_MAX_JUNK_SHARE = 100


class Mp3Source:
    """Frames of an MP3, wherever they start in the file. `has_frames` is false for any other file."""

    codec = "mp3"

    def __init__(self, path: Path) -> None:
        """Read all frame headers. Raises OSError if the file cannot be read."""
        self._parts = mp3_parts(path)
        self._stream = Mp3Stream(path, self._parts)
        self.has_frames = self._parts.frames > 0 and (self._parts.is_complete or not self._is_mostly_junk())
        self.header_seconds = self._parts.header_seconds
        self.states_length = self.header_seconds is not None
        self.frame_seconds = self._parts.frame_seconds
        self.is_complete = self._parts.is_complete
        self.splices = self._parts.sequence.splices
        is_restarted = any(part.is_restarted for part in self._parts.parts)
        self.has_repeats = is_restarted or self._parts.sequence.repeated_frames() > 0

    @property
    def bitrate_bps(self) -> int | None:
        """Mean bit rate of the frames; None without frames."""
        seconds = self._parts.frames * self.frame_seconds
        return round(8 * self._parts.frame_bytes / seconds) if seconds else None

    @property
    def damage(self) -> Damage:
        """Damage between the frames decoded so far."""
        return self._stream.damage

    @property
    def is_cut_at_end(self) -> bool:
        """Whether the file ends within a frame."""
        return self._parts.ends_in_frame

    @property
    def edge_zero_seconds(self) -> float:
        """Length of the audio that the zeros before the first and after the last frame can have replaced."""
        return self._parts.edge_zero_bytes / self._parts.mean_frame_bytes * self.frame_seconds

    def is_audio(self, decoded_frames: int) -> bool:
        """Whether what was decoded is audio."""
        if self.is_complete:
            return decoded_frames > 0
        return decoded_frames > self.damage.refused_frames

    def _is_mostly_junk(self) -> bool:
        """Whether the frames are there by chance: random bytes contain two valid ones every few megabytes."""
        return self._parts.junk_bytes > _MAX_JUNK_SHARE * self._parts.frame_bytes

    def __iter__(self) -> Iterator[av.AudioFrame]:
        """Decode the file."""
        return iter(self._stream)
