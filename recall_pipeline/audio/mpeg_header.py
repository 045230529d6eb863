"""MPEG layer III frame headers: ISO/IEC 11172-3 section 2.4.1.3 and 13818-3."""

import re
from dataclasses import dataclass

_MPEG1_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MPEG2_KBPS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MPEG1_RATES_HZ = (44100, 48000, 32000)

HEADER_BYTES = 4
_RATED = b"".join(re.escape(bytes([low])) + b"-" + re.escape(bytes([low + 11])) for low in range(0x10, 0xF0, 0x10))
HEADER_START = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb][" + _RATED + rb"]")
"""The first three bytes of a frame header that `parse_frame_header` accepts."""


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """One MPEG layer III frame header."""

    version: int  # 1, 2, or 25 for MPEG 2.5
    sample_rate_hz: int
    channels: int
    size_bytes: int

    @property
    def samples_per_frame(self) -> int:
        """Samples per channel that one frame decodes to."""
        return 1152 if self.version == 1 else 576

    @property
    def tag_offset_bytes(self) -> int:
        """Offset of a Xing or Info tag in the frame: after the header and the side information."""
        mono = self.channels == 1
        return 4 + ((17 if mono else 32) if self.version == 1 else (9 if mono else 17))

    def is_same_stream(self, other: "FrameHeader | None") -> bool:
        """Whether another frame can follow this one: MPEG version and sample rate are fixed within a stream."""
        return other is not None and (self.version, self.sample_rate_hz) == (other.version, other.sample_rate_hz)


def parse_frame_header(four: bytes) -> FrameHeader | None:
    """Parse four bytes as a layer III frame header; return None if they are not one, or of a free-format frame."""
    word = int.from_bytes(four, "big")
    version = {0: 25, 2: 2, 3: 1}.get(word >> 19 & 3)
    if len(four) < HEADER_BYTES or word >> 21 != 0x7FF or version is None or word >> 17 & 3 != 1:
        return None
    bitrate_index, rate_index = word >> 12 & 15, word >> 10 & 3
    if bitrate_index in (0, 15) or rate_index == 3:
        return None
    rate_hz = _MPEG1_RATES_HZ[rate_index] // {1: 1, 2: 2, 25: 4}[version]
    kbps = (_MPEG1_KBPS if version == 1 else _MPEG2_KBPS)[bitrate_index]
    size = (144 if version == 1 else 72) * kbps * 1000 // rate_hz + (word >> 9 & 1)
    return FrameHeader(version, rate_hz, 1 if word >> 6 & 3 == 3 else 2, size)
