"""Durations in the headers of Matroska, AVI, FLV and ASF files, which libav estimates where they are missing."""

import struct

_SEGMENT_INFO, _TIMESTAMP_SCALE, _DURATION = b"\x15\x49\xa9\x66", b"\x2a\xd7\xb1", b"\x44\x89"
_DEFAULT_SCALE_NS = 1_000_000
_MAX_RIFF_BYTES = 0xFFFFF000
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_BROADCAST = 1


def matroska_seconds(head: bytes) -> float:
    """Return the duration in the segment information of a Matroska or WebM file; 0 if it has none."""
    start = head.find(_SEGMENT_INFO)
    duration = _element(head, _DURATION, start)
    if start < 0 or len(duration) not in (4, 8):
        return 0.0
    scale_ns = int.from_bytes(_element(head, _TIMESTAMP_SCALE, start), "big") or _DEFAULT_SCALE_NS
    return max(0.0, _unpacked(">f" if len(duration) == 4 else ">d", duration)) * scale_ns / 1e9


def _element(data: bytes, name: bytes, start: int) -> bytes:
    """Return the content of a small EBML element; empty if it is not there."""
    at = data.find(name, max(0, start))
    if at < 0 or at + len(name) >= len(data):
        return b""
    size, content = data[at + len(name)] & 0x7F, at + len(name) + 1
    return data[content : content + size] if size <= 8 else b""


def avi_seconds(head: bytes) -> float:
    """Return the length in the header of the first audio stream of an AVI; 0 if it states none, as one of a stream."""
    at = head.find(b"auds")
    is_stream = not 0 < int.from_bytes(head[4:8], "little") < _MAX_RIFF_BYTES
    if is_stream or at < 0 or head[at - 8 : at - 4] != b"strh" or len(head) < at + 36:
        return 0.0
    scale, rate, _, length = struct.unpack_from("<4I", head, at + 20)
    return float(length * scale / rate) if rate else 0.0


def flv_seconds(head: bytes) -> float:
    """Return the duration in the metadata of an FLV; 0 if it has none."""
    at = head.find(b"\x00\x08duration\x00")
    return max(0.0, _unpacked(">d", head[at + 11 : at + 19])) if at >= 0 else 0.0


def asf_seconds(head: bytes) -> float:
    """Return the play duration in the file properties of an ASF or WMA, less its preroll; 0 if it was a broadcast."""
    at = head.find(_ASF_PROPERTIES)
    if at < 0 or len(head) < at + 92:
        return 0.0
    play_100ns, _, preroll_ms, flags = struct.unpack_from("<3QI", head, at + 64)
    return 0.0 if flags & _ASF_BROADCAST else float(max(0.0, play_100ns / 1e7 - preroll_ms / 1e3))


def _unpacked(form: str, data: bytes) -> float:
    (value,) = struct.unpack(form, data) if len(data) == struct.calcsize(form) else (0.0,)
    return float(value)
