"""File headers: the type of a file by its first bytes, and the duration that an MP3 states.

MPEG frame headers: ISO/IEC 11172-3 section 2.4.1.3 and 13818-3. The Xing, Info and VBRI frames are
conventions of encoders; the MP3 format itself has no field for a duration.
"""

from dataclasses import dataclass
from pathlib import Path

_SEARCHED_BYTES = 64 * 1024
_MPEG1_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MPEG2_KBPS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MPEG1_RATES_HZ = (44100, 48000, 32000)


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


def parse_frame_header(four: bytes) -> FrameHeader | None:
    """Parse four bytes as a layer III frame header; return None if they are not one."""
    word = int.from_bytes(four, "big")
    version = {0: 25, 2: 2, 3: 1}.get(word >> 19 & 3)
    if len(four) < 4 or word >> 21 != 0x7FF or version is None or word >> 17 & 3 != 1:
        return None
    bitrate_index, rate_index = word >> 12 & 15, word >> 10 & 3
    if bitrate_index in (0, 15) or rate_index == 3:
        return None
    rate_hz = _MPEG1_RATES_HZ[rate_index] // {1: 1, 2: 2, 25: 4}[version]
    kbps = (_MPEG1_KBPS if version == 1 else _MPEG2_KBPS)[bitrate_index]
    size = (144 if version == 1 else 72) * kbps * 1000 // rate_hz + (word >> 9 & 1)
    return FrameHeader(version, rate_hz, 1 if word >> 6 & 3 == 3 else 2, size)


def id3_size_bytes(head: bytes) -> int:
    """Return the size of the ID3v2 tag at the start; 0 if there is none."""
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return size + 10


def first_frame(path: Path) -> tuple[FrameHeader, bytes] | None:
    """Return the header and bytes of the first MP3 frame that another frame follows; None if there is none."""
    with path.open("rb") as file:
        file.seek(id3_size_bytes(file.read(10)))
        head = file.read(_SEARCHED_BYTES)
    at = head.find(b"\xff")
    while at >= 0:
        header = parse_frame_header(head[at : at + 4])
        if header is not None:
            end = at + header.size_bytes
            if _same_stream(header, parse_frame_header(head[end : end + 4])):
                return header, head[at:end]
        at = head.find(b"\xff", at + 1)
    return None


def _same_stream(one: FrameHeader, other: FrameHeader | None) -> bool:
    return other is not None and (one.version, one.sample_rate_hz) == (other.version, other.sample_rate_hz)


def header_duration_seconds(path: Path) -> float | None:
    """Return the duration in seconds that a Xing, Info or VBRI frame states; None if there is none."""
    found = first_frame(path)
    if found is None:
        return None
    header, frame = found
    samples = header.samples_per_frame * _vbri_frames(frame[36:])
    if not samples:
        samples = _xing_samples(frame[header.tag_offset_bytes :], header.samples_per_frame)
    return samples / header.sample_rate_hz if samples > 0 else None


def _vbri_frames(tag: bytes) -> int:
    return int.from_bytes(tag[14:18], "big") if tag[:4] == b"VBRI" else 0


def _xing_samples(tag: bytes, samples_per_frame: int) -> int:
    """Return the samples without the delay and padding in LAME's extension, which decoders drop."""
    flags = int.from_bytes(tag[4:8], "big")
    if tag[:4] not in (b"Xing", b"Info") or not flags & 1:
        return 0
    samples = int.from_bytes(tag[8:12], "big") * samples_per_frame
    extension = tag[8 + sum(size for bit, size in _XING_FIELD_BYTES if flags & bit) :]
    if extension[:4] not in (b"LAME", b"Lavf", b"Lavc"):
        return samples
    trimmed = int.from_bytes(extension[21:24], "big")
    return samples - (trimmed >> 12) - (trimmed & 0xFFF)


_XING_FIELD_BYTES = ((1, 4), (2, 4), (4, 100), (8, 4))  # frames, bytes, table of contents, quality


_MAX_RIFF_BYTES = 0xFFFFF000  # larger values mean an unknown size: the file was written as a stream
_MAGIC = (
    (b"ID3", "mp3"),
    (b"RIFF", "wav"),
    (b"RF64", "wav"),
    (b"fLaC", "flac"),
    (b"OggS", "ogg"),
    (b"\x1aE\xdf\xa3", "matroska"),
    (b"FORM", "aiff"),
    (b"caff", "caf"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "gzip"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
)


_NOT_AUDIO_WITHOUT_MAGIC = ("empty", "zero bytes", "text", "XML", "JSON", "an HTML page", "gzip")
NOT_AUDIO_TYPES = frozenset((*_NOT_AUDIO_WITHOUT_MAGIC, *(name for _, name in _MAGIC if name.startswith("a "))))
"""Results of `magic` that are never decoded. A ZIP of an MP3, for example, would decode to audio and noise."""


def magic(path: Path) -> str:
    """Return the file type by its first bytes, worded for an error message. Raises OSError if unreadable."""
    with path.open("rb") as file:
        head = file.read(4096)
    if not head:
        return "empty"
    for start, name in _MAGIC:
        if head.startswith(start):
            return name
    if head[4:8] == b"ftyp":
        return "mp4"
    if parse_frame_header(head[:4]) is not None:
        return "mp3"
    return _text_type(head)


def _text_type(head: bytes) -> str:
    if not head.strip(b"\0"):
        return "zero bytes"
    text = head.decode("utf-8-sig", errors="ignore").strip().lower()
    if text.startswith(("<!doctype html", "<html")):
        return "an HTML page"
    if text.startswith("<"):
        return "XML"
    if text.startswith(("{", "[")):
        return "JSON"
    is_text = len(text) > len(head) // 2 and all(char.isprintable() or char in "\t\r\n" for char in text)
    return "text" if is_text else "unknown bytes"


def riff_size_ratio(path: Path) -> float:
    """Return the size in a WAV's header divided by its actual size, if the file is too short; else 1.0."""
    with path.open("rb") as file:
        head = file.read(8)
    stated_bytes, actual_bytes = int.from_bytes(head[4:8], "little") + 8, path.stat().st_size
    is_cut = head[:4] == b"RIFF" and actual_bytes < stated_bytes <= _MAX_RIFF_BYTES
    return stated_bytes / actual_bytes if is_cut else 1.0
