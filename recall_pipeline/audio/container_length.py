"""The length that the header of a container states, also for an incomplete file."""

from collections.abc import Callable
from math import inf
from typing import Any

from recall_pipeline.audio.stated_durations import asf_seconds, avi_seconds, flv_seconds, matroska_seconds
from recall_pipeline.audio.untagged_file import UntaggedFile

_FORMATS_WITH_LENGTH = ("wav", "w64", "mov", "flac", "aiff", "caf", "au", "wv", "tta")
_MAX_RIFF_BYTES = 0xFFFFF000  # larger values mean an unknown size: the file was written as a stream
_WAVE64 = b"riff\x2e\x91\xcf\x11"
_WAVE64_FACT = b"fact\xf3\xac\xd3\x11"
_CAF_PACKET_BYTES = slice(36, 40)
_HEAD_BYTES = 64 * 1024
_STATED: dict[str, Callable[[bytes], float]] = {
    "matroska": matroska_seconds,
    "avi": avi_seconds,
    "flv": flv_seconds,
    "asf": asf_seconds,
}
"""Formats whose duration libav estimates where the header states none."""


def container_seconds(file: UntaggedFile, format_name: str, stream: Any) -> float | None:
    """Return the length in seconds that the header states; None if it states none, or libav only estimates one."""
    head = file.read_at(0, _HEAD_BYTES)
    if (stated := _STATED.get(format_name.partition(",")[0])) is not None:
        seconds = stated(head)
        return seconds if 0 < seconds < inf else None
    if not stream.duration or not stream.time_base:
        return None
    seconds = float(stream.duration * stream.time_base)
    if not format_name.startswith(_FORMATS_WITH_LENGTH):
        return None
    return seconds if stream.duration == _stated_samples(head) else seconds * _missing_ratio(head, file.size_bytes)


def _missing_ratio(head: bytes, actual_bytes: int) -> float:
    """Return the size that a header states divided by the actual size, if the file is too short; else 1.0.

    Where a size is stated and no number of samples, libav computes the duration from the actual size.
    """
    stated_bytes = _stated_bytes(head)
    return stated_bytes / actual_bytes if actual_bytes < stated_bytes else 1.0


def _stated_samples(head: bytes) -> int:
    """Return the number of samples in the header of a WAV, RF64 or Wave64 file; 0 if it states none."""
    if head.startswith(b"RF64") and head[12:16] == b"ds64":
        return int.from_bytes(head[36:44], "little")
    if (at := head.find(_WAVE64_FACT)) >= 0:
        return int.from_bytes(head[at + 24 : at + 32], "little")
    at = head.find(b"fact") if head.startswith(b"RIFF") else -1
    return int.from_bytes(head[at + 8 : at + 12], "little") if at >= 0 else 0


def _stated_bytes(head: bytes) -> int:
    """Return the size in the header of a WAV, RF64, Wave64 or CAF file; 0 if it states none."""
    if head.startswith(b"RIFF"):
        size = int.from_bytes(head[4:8], "little") + 8
        return 0 if size > _MAX_RIFF_BYTES else size
    if head.startswith(b"RF64") and head[12:16] == b"ds64":
        return int.from_bytes(head[20:28], "little") + 8
    if head.startswith(_WAVE64):
        return int.from_bytes(head[16:24], "little")
    has_equal_packets = head.startswith(b"caff") and head[_CAF_PACKET_BYTES] != bytes(4)
    data = head.find(b"data") if has_equal_packets else -1
    size = int.from_bytes(head[data + 4 : data + 12], "big", signed=True) if data >= 0 else 0
    return data + 12 + size if size > 0 else 0
