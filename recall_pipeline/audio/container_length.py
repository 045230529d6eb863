"""The length that the header of a container states, also for an incomplete file."""

import struct
from pathlib import Path
from typing import Any

_FORMATS_WITH_LENGTH = ("wav", "w64", "mov", "flac", "aiff", "caf", "au")
_MAX_RIFF_BYTES = 0xFFFFF000  # larger values mean an unknown size: the file was written as a stream
_WAVE64 = b"riff\x2e\x91\xcf\x11"
_HEAD_BYTES = 64 * 1024
_OGG_PAGE, _OGG_FLAGS_OFFSET, _OGG_LAST_PAGE = b"OggS", 5, 4
_SEGMENT_INFO, _TIMESTAMP_SCALE, _DURATION = b"\x15\x49\xa9\x66", b"\x2a\xd7\xb1", b"\x44\x89"
_DEFAULT_SCALE_NS = 1_000_000


def container_seconds(path: Path, format_name: str, stream: Any) -> float | None:
    """Return the length in seconds that the header states; None if it states none, or libav only estimates one."""
    if format_name.startswith("matroska"):
        return matroska_seconds(path)
    if not format_name.startswith(_FORMATS_WITH_LENGTH) or not stream.duration or not stream.time_base:
        return None
    return float(stream.duration * stream.time_base) * _missing_ratio(path)


def _missing_ratio(path: Path) -> float:
    """Return the size that a header states divided by the actual size, if the file is too short; else 1.0.

    Where a size is stated, libav computes the duration from the actual one.
    """
    with path.open("rb") as file:
        stated_bytes = _stated_bytes(file.read(_HEAD_BYTES))
    actual_bytes = path.stat().st_size
    return stated_bytes / actual_bytes if actual_bytes < stated_bytes else 1.0


def _stated_bytes(head: bytes) -> int:
    """Return the size in the header of a WAV, RF64, Wave64 or CAF file; 0 if it states none."""
    if head.startswith(b"RIFF"):
        size = int.from_bytes(head[4:8], "little") + 8
        return 0 if size > _MAX_RIFF_BYTES else size
    if head.startswith(b"RF64") and head[12:16] == b"ds64":
        return int.from_bytes(head[20:28], "little") + 8
    if head.startswith(_WAVE64):
        return int.from_bytes(head[16:24], "little")
    data = head.find(b"data") if head.startswith(b"caff") else -1
    size = int.from_bytes(head[data + 4 : data + 12], "big", signed=True) if data >= 0 else 0
    return data + 12 + size if size > 0 else 0


def ogg_lacks_end(path: Path) -> bool:
    """Return whether an Ogg file has no page that is marked as the last one. Other files never lack it."""
    with path.open("rb") as file:
        if file.read(4) != _OGG_PAGE:
            return False
        file.seek(max(0, path.stat().st_size - 2 * _HEAD_BYTES))
        tail = file.read()
    last = tail.rfind(_OGG_PAGE)
    flags = tail[last + _OGG_FLAGS_OFFSET :][:1] if last >= 0 else b""
    return not flags or not flags[0] & _OGG_LAST_PAGE


def matroska_seconds(path: Path) -> float | None:
    """Return the duration in the segment information of a Matroska or WebM file; None if it has none."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    start = head.find(_SEGMENT_INFO)
    duration = _element(head, _DURATION, start)
    if start < 0 or len(duration) not in (4, 8):
        return None
    scale_ns = int.from_bytes(_element(head, _TIMESTAMP_SCALE, start), "big") or _DEFAULT_SCALE_NS
    (ticks,) = struct.unpack(">f" if len(duration) == 4 else ">d", duration)
    return float(ticks) * scale_ns / 1e9 if ticks > 0 else None


def _element(data: bytes, name: bytes, start: int) -> bytes:
    """Return the content of a small EBML element; empty if it is not there."""
    at = data.find(name, max(0, start))
    if at < 0 or at + len(name) >= len(data):
        return b""
    size, content = data[at + len(name)] & 0x7F, at + len(name) + 1
    return data[content : content + size] if size <= 8 else b""
