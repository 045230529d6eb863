"""Whether a container that states no length has its end: a last page, box, element or packet that is complete."""

from collections.abc import Iterator
from typing import NamedTuple

from recall_pipeline.audio.untagged_file import UntaggedFile

_TAIL_BYTES = 128 * 1024
_OGG_PAGE, _OGG_HEADER_BYTES, _OGG_LAST_PAGE = b"OggS", 27, 4
_MP4_BOXES = frozenset(b"ftyp styp moov moof mdat sidx ssix mfra free skip wide emsg prft uuid meta".split())
_TS_SYNC, _TS_PACKET_BYTES = b"G", 188
_SEGMENT, _CLUSTER = 0x18538067, 0x1F43B675
_MATROSKA_HEAD_BYTES = 12


class _Mp4Box(NamedTuple):
    kind: bytes
    end: int


def lacks_end(file: UntaggedFile, format_name: str) -> bool:
    """Return whether a file ends within a page, box, element or packet; an Ogg also needs a last page."""
    if format_name == "mpegts":
        return file.read_at(0, 1) == _TS_SYNC and file.size_bytes % _TS_PACKET_BYTES > 0
    if format_name.startswith("ogg"):
        return _ogg_lacks_end(file)
    if format_name.startswith("mov"):
        return any(box.end > file.size_bytes for box in _mp4_boxes(file))
    return format_name.startswith("matroska") and _matroska_lacks_end(file)


def is_fragmented(file: UntaggedFile, format_name: str) -> bool:
    """Whether a file is a fragmented MP4: each fragment states its own length, and no header that of all."""
    return format_name.startswith("mov") and any(box.kind == b"moof" for box in _mp4_boxes(file))


def _mp4_boxes(file: UntaggedFile) -> Iterator[_Mp4Box]:
    """Yield the boxes of known types at the top level of a file, and where each ends."""
    at = 0
    while (head := file.read_at(at, 16))[4:8] in _MP4_BOXES:
        size = int.from_bytes(head[:4], "big")
        size = int.from_bytes(head[8:16], "big") if size == 1 else size or file.size_bytes - at
        at += max(size, 8)
        yield _Mp4Box(head[4:8], at)


def _ogg_lacks_end(file: UntaggedFile) -> bool:
    tail = file.read_at(max(0, file.size_bytes - _TAIL_BYTES), _TAIL_BYTES)
    page = tail[tail.rfind(_OGG_PAGE) :] if _OGG_PAGE in tail else b""
    if len(page) < _OGG_HEADER_BYTES or not page[5] & _OGG_LAST_PAGE:
        return True
    sizes_end = _OGG_HEADER_BYTES + page[26]
    return len(page) < sizes_end + sum(page[_OGG_HEADER_BYTES:sizes_end])


def _matroska_lacks_end(file: UntaggedFile) -> bool:
    """Follow the elements of the segment and of clusters to the end of the file."""
    at = 0
    while len(head := file.read_at(at, _MATROSKA_HEAD_BYTES)) > 1 and head[0] >= 0x10:
        id_bytes = 9 - head[0].bit_length()
        size_bytes = 9 - head[id_bytes].bit_length() if len(head) > id_bytes and head[id_bytes] else 0
        if not size_bytes or len(head) < id_bytes + size_bytes:
            return len(head) < _MATROSKA_HEAD_BYTES
        is_parent = int.from_bytes(head[:id_bytes], "big") in (_SEGMENT, _CLUSTER)
        size = int.from_bytes(head[id_bytes : id_bytes + size_bytes], "big") - (1 << 7 * size_bytes)
        at += id_bytes + size_bytes + (0 if is_parent else size)
    return at > file.size_bytes
