"""Tags within audio files: ID3v2, ID3v1, APEv2, Lyrics3. They hold titles and pictures, no audio."""

from pathlib import Path
from typing import IO

TAG_STARTS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")
_ID3V1_BYTES = 128
_ID3_HEADER_BYTES, _APE_HEADER_BYTES = 10, 32
_IS_HEADER_FLAG = 1 << 29


def tag_size_bytes(data: bytes) -> int:
    """Return the size of the tag that `data` starts with; 0 if there is none."""
    if data.startswith(b"ID3"):
        return id3_size_bytes(data)
    if data.startswith(b"TAG"):
        return _ID3V1_BYTES
    if data.startswith(b"APETAGEX") and len(data) >= _APE_HEADER_BYTES:
        has_header = int.from_bytes(data[20:24], "little") & _IS_HEADER_FLAG
        items_and_footer = int.from_bytes(data[12:16], "little")
        return items_and_footer + _APE_HEADER_BYTES if has_header else _APE_HEADER_BYTES
    return 0


def id3_size_bytes(head: bytes) -> int:
    """Return the size of the ID3v2 tag at the start; 0 if there is none."""
    if head[:3] != b"ID3" or len(head) < _ID3_HEADER_BYTES:
        return 0
    has_footer = head[5] & 0x10
    return _seven_bits_per_byte(head[6:10]) + _ID3_HEADER_BYTES * (2 if has_footer else 1)


def _seven_bits_per_byte(data: bytes) -> int:
    size = 0
    for byte in data:
        size = size << 7 | byte & 0x7F
    return size


def leading_tags_bytes(path: Path) -> int:
    """Return the size of all ID3v2 tags at the start of a file. Raises OSError if it cannot be read."""
    total = 0
    with path.open("rb") as file:
        while size := id3_size_bytes(file.read(_ID3_HEADER_BYTES)):
            total += size
            file.seek(total)
    return total


def trailing_tags_bytes(path: Path) -> int:
    """Return the size of all tags at the end of a file whose start is where they state. Raises OSError."""
    with path.open("rb") as file:
        end = size = file.seek(0, 2)
        while tag := _tag_bytes_before(file, end):
            end -= tag
    return size - end


def _tag_bytes_before(file: IO[bytes], end: int) -> int:
    file.seek(max(0, end - _ID3V1_BYTES))
    tail = file.read(min(end, _ID3V1_BYTES))
    if len(tail) == _ID3V1_BYTES and tail.startswith(b"TAG"):
        return _ID3V1_BYTES
    start, size = _stated_at_end(tail)
    file.seek(max(0, end - size))
    return size if start and size <= end and file.read(len(start)) == start else 0


def _stated_at_end(tail: bytes) -> tuple[bytes, int]:
    """Return how a tag starts and its size, as its last bytes state; no start if they are of no tag."""
    if tail[-32:-24] == b"APETAGEX":
        return b"APETAGEX", int.from_bytes(tail[-20:-16], "little") + _APE_HEADER_BYTES
    if tail.endswith(b"LYRICS200") and tail[-15:-9].isdigit():
        return b"LYRICSBEGIN", int(tail[-15:-9]) + 15
    if tail[-10:-7] == b"3DI":
        return b"ID3", _seven_bits_per_byte(tail[-4:]) + 2 * _ID3_HEADER_BYTES
    return b"", 0
