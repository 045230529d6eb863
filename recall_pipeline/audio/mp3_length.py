"""The length that a Xing, Info or VBRI frame states. The MP3 format itself has no field for a length."""

from dataclasses import dataclass

from recall_pipeline.audio.mpeg_header import FrameHeader

_DECODER_DELAY_SAMPLES = 529
_VBRI_OFFSET = 36
_XING_FIELD_BYTES = ((1, 4), (2, 4), (4, 100), (8, 4))  # frames, bytes, table of contents, quality
_ENCODERS = (b"LAME", b"Lavf", b"Lavc")


@dataclass(frozen=True, slots=True)
class StatedLength:
    """What a length frame states: MPEG frames after it, and which samples of these belong to no recording.

    `frames` is 0 if the frame states none. The first `skipped_samples` and those from `discard_from` to
    `discard_to` are encoder delay and padding, which are removed as libav does.
    """

    frames: int
    samples_per_frame: int
    sample_rate_hz: int
    skipped_samples: int = 0
    discarded_samples: int = 0

    @property
    def discard_to(self) -> int:
        """The first sample after the padding."""
        return self.frames * self.samples_per_frame

    @property
    def discard_from(self) -> int:
        """The first sample of the padding."""
        return self.discard_to - self.discarded_samples

    @property
    def seconds(self) -> float:
        """Length of the recording; 0 if the frame states none."""
        samples = self.discard_from - self.skipped_samples
        return max(0, samples) / self.sample_rate_hz


def stated_length(header: FrameHeader, frame: bytes) -> StatedLength | None:
    """Return what a Xing, Info or VBRI frame states; None for any other frame."""
    if frame[_VBRI_OFFSET : _VBRI_OFFSET + 4] == b"VBRI":
        frames = int.from_bytes(frame[_VBRI_OFFSET + 14 : _VBRI_OFFSET + 18], "big")
        return StatedLength(frames, header.samples_per_frame, header.sample_rate_hz)
    tag = frame[header.tag_offset_bytes :]
    return _xing_length(header, tag) if tag[:4] in (b"Xing", b"Info") else None


def _xing_length(header: FrameHeader, tag: bytes) -> StatedLength:
    flags = int.from_bytes(tag[4:8], "big")
    frames = int.from_bytes(tag[8:12], "big") if flags & 1 else 0
    extension = tag[8 + sum(size for bit, size in _XING_FIELD_BYTES if flags & bit) :]
    if extension[:4] not in _ENCODERS:
        return StatedLength(frames, header.samples_per_frame, header.sample_rate_hz)
    trimmed = int.from_bytes(extension[21:24], "big")
    delay, padding = trimmed >> 12, trimmed & 0xFFF
    return StatedLength(
        frames,
        header.samples_per_frame,
        header.sample_rate_hz,
        delay + _DECODER_DELAY_SAMPLES,
        max(0, padding - _DECODER_DELAY_SAMPLES) if frames else 0,
    )
