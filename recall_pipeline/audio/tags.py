"""Tags within audio files: ID3v2, ID3v1, APEv2. They hold titles and pictures, no audio."""

from pathlib import Path

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
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    has_footer = head[5] & 0x10
    return size + _ID3_HEADER_BYTES * (2 if has_footer else 1)


def leading_tags_bytes(path: Path) -> int:
    """Return the size of all ID3v2 tags at the start of a file. Raises OSError if it cannot be read."""
    total = 0
    with path.open("rb") as file:
        while size := id3_size_bytes(file.read(_ID3_HEADER_BYTES)):
            total += size
            file.seek(total)
    return total
