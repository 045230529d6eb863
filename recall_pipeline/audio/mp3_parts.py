"""The recordings in an MP3 file: what each states of its length, and how many frames it has.

Joined MP3s have several. A download that was started over has the beginning of one twice.
"""

from dataclasses import dataclass, field
from pathlib import Path

from recall_pipeline.audio.frame_sequence import FrameSequence
from recall_pipeline.audio.mp3_reader import Gap, LengthFrame, Mp3Reader
from recall_pipeline.audio.mpeg_header import HEADER_BYTES, FrameHeader, parse_frame_header


@dataclass(slots=True)
class Mp3Part:
    """One recording: its length frame, if it has one, and the number of frames after it."""

    start: LengthFrame | None
    frames: int = 0
    is_restarted: bool = False

    @property
    def stated_frames(self) -> int:
        """Frames that its length frame states; 0: none."""
        return self.start.length.frames if self.start else 0

    @property
    def is_complete(self) -> bool:
        """Whether it has the frames that it states."""
        return 0 < self.stated_frames <= self.frames

    @property
    def missing_frames(self) -> int | None:
        """Frames that it states and that are not there; None if it states none."""
        return max(0, self.stated_frames - self.frames) if self.stated_frames else None


@dataclass(slots=True)
class Mp3Parts:
    """All parts of a file, and counts over it. `junk_bytes` are neither frames, tags nor zeros."""

    parts: list[Mp3Part] = field(default_factory=lambda: [Mp3Part(None)])
    header: FrameHeader | None = None
    frame_bytes: int = 0
    junk_bytes: int = 0
    edge_zero_bytes: int = 0
    ends_in_frame: bool = False
    sequence: FrameSequence = field(default_factory=FrameSequence)

    @property
    def frames(self) -> int:
        """Frames of all parts."""
        return sum(part.frames for part in self.parts)

    @property
    def mean_frame_bytes(self) -> float:
        """Mean size of a frame; 1 if there are no frames."""
        return self.frame_bytes / self.frames if self.frames else 1.0

    @property
    def frame_seconds(self) -> float:
        """Length of a frame in seconds; 0 if there are no frames."""
        return self.header.samples_per_frame / self.header.sample_rate_hz if self.header else 0.0

    @property
    def header_seconds(self) -> float | None:
        """Length that the file states, in seconds; None if it states none. Parts without a length frame count."""
        if not self.stated:
            return None
        unstated = sum(part.frames for part in self.parts if not part.stated_frames) * self.frame_seconds
        return unstated + sum(part.start.length.seconds for part in self.stated if part.start)

    @property
    def stated(self) -> list[Mp3Part]:
        """Parts that state a length. One that was started over states only what the next one does."""
        return [part for part in self.parts if part.stated_frames and not part.is_restarted]

    @property
    def is_complete(self) -> bool:
        """Whether every part states its length and has it."""
        return bool(self.stated) and all(part.is_complete for part in self.stated)


def mp3_parts(path: Path) -> Mp3Parts:
    """Read the frame headers of a whole file. Raises OSError if it cannot be read."""
    found = Mp3Parts()
    for item in Mp3Reader(path):
        if isinstance(item, list):
            _count(found, item)
        elif isinstance(item, Gap):
            _count_gap(found, item)
        else:
            _start_part(found, item)
    return found


def _count(found: Mp3Parts, frames: list[bytes]) -> None:
    if frames and found.header is None:
        found.header = parse_frame_header(frames[0][:HEADER_BYTES])
    found.parts[-1].frames += len(frames)
    found.frame_bytes += sum(map(len, frames))
    if not found.parts[-1].stated_frames:
        found.sequence.feed(frames)


def _count_gap(found: Mp3Parts, gap: Gap) -> None:
    if gap.before:
        _count(found, [gap.before])
    found.sequence.interrupt()
    found.junk_bytes += gap.size_bytes - gap.zero_bytes if gap.is_inside or not found.frames else 0
    found.ends_in_frame = gap.is_cut_frame
    found.edge_zero_bytes += gap.zero_bytes if gap.is_zeros and not gap.is_inside else 0


def _start_part(found: Mp3Parts, start: LengthFrame) -> None:
    last = found.parts[-1]
    last.is_restarted = last.start == start and not last.is_complete
    if last.start and not last.frames:  # a program put its own length frame before another one
        found.parts[-1] = Mp3Part(None)
    found.parts.append(Mp3Part(start))
    found.sequence.interrupt()
