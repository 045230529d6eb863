"""Split an MP3 file into its frames, and what is between them, in bounded memory.

Tags, padding and junk are passed over, wherever they are and whatever their size. A frame counts as
one if another frame, a tag or the end of the file follows it, or if it states the file's length.
"""

import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO, NamedTuple

from recall_pipeline.audio.mp3_length import StatedLength, stated_length
from recall_pipeline.audio.mpeg_header import HEADER_BYTES, HEADER_START, FrameHeader, parse_frame_header
from recall_pipeline.audio.tags import TAG_STARTS, tag_size_bytes, trailing_tags_bytes

_WINDOW_BYTES = 256 * 1024
_LOOKAHEAD_BYTES = 4096  # more than two frames and a header
_LENGTH_TAG = re.compile(rb"Xing|Info|VBRI")
_LENGTH_TAG_AREA = (13, 40)


class LengthFrame(NamedTuple):
    """A Xing, Info or VBRI frame: a recording starts here. `data` are its bytes."""

    length: StatedLength
    data: bytes


class Gap(NamedTuple):
    """Bytes between frames that are neither a frame nor a tag.

    `before` is the frame before it, which is probably damaged too; empty if there is none.
    `zero_bytes` counts its zeros. `is_inside` is false before the first and after the last frame.
    `is_cut_frame` is whether it is the beginning of a frame, and the file ends there.
    """

    before: bytes
    size_bytes: int
    zero_bytes: int
    is_inside: bool
    is_cut_frame: bool

    @property
    def is_zeros(self) -> bool:
        """Whether it is a run of zeros."""
        return 2 * self.zero_bytes > self.size_bytes


Mp3Item = list[bytes] | Gap | LengthFrame
"""Consecutive frames of one recording, or what is between them."""


class Mp3Reader:
    """Iterates over the frames of a file. Iterating raises OSError if it cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[Mp3Item]:
        with self._path.open("rb") as file:
            end = file.seek(0, 2) - trailing_tags_bytes(self._path)
            file.seek(0)
            yield from _Items(file, end).items()


class _Items:
    def __init__(self, file: IO[bytes], end: int) -> None:
        self._file, self._end = file, end
        self._data, self._at = b"", 0
        self._has_frames = self._is_cut = False

    def items(self) -> Iterator[Mp3Item]:
        before = b""
        while True:
            if before and self._go_back_into(before):
                yield Gap(before, 0, 0, True, False)
                before = yield from self._frames()
                continue
            has_tag = self._skip_tags()
            gap_bytes, zero_bytes, is_found = self._find_frame()
            if before and (has_tag or not gap_bytes or not is_found):
                yield [before]
                before = b""
            if gap_bytes:
                yield Gap(before, gap_bytes, zero_bytes, self._has_frames and is_found, self._is_cut and not is_found)
            if not is_found:
                return
            before = yield from self._frames()

    def _frames(self) -> Generator[Mp3Item, None, bytes]:
        """Yield the frames of one stream, except for the last one, which is returned."""
        stream = self._header(self._at)
        frames: list[bytes] = []
        sizes: dict[bytes, int] = {}
        self._has_frames = True
        while True:
            if len(self._data) - self._at < _LOOKAHEAD_BYTES:
                yield frames[:-1]
                frames = frames[-1:]
                self._fill(_LOOKAHEAD_BYTES)
            start = self._data[self._at : self._at + 3]
            if (size := sizes.get(start)) is None:
                size = sizes[start] = self._size_in(stream)
            frame = self._data[self._at : self._at + size]
            if not size or len(frame) < size:
                self._is_cut = size > 0
                break
            self._at += size
            if _LENGTH_TAG.search(frame, *_LENGTH_TAG_AREA) and (length := _length_in(frame)) is not None:
                yield frames
                yield LengthFrame(length, frame)
                frames = []
            else:
                frames.append(frame)
        yield frames[:-1]
        return frames[-1] if frames else b""

    def _size_in(self, stream: FrameHeader | None) -> int:
        header = self._header(self._at)
        return header.size_bytes if header is not None and header.is_same_stream(stream) else 0

    def _go_back_into(self, before: bytes) -> bool:
        """Go to a frame that starts within the last one, if that one is a cut frame, and return whether it is."""
        if self._header(self._at) is not None or self._data.startswith(TAG_STARTS, self._at):
            return False
        for match in HEADER_START.finditer(self._data, self._at - len(before) + 1, self._at):
            if self._is_frame(match.start(), is_end=False):
                self._at = match.start()
                return True
        return False

    def _find_frame(self) -> tuple[int, int, bool]:
        """Go to the next frame; return the bytes and zeros before it, and whether there is one."""
        passed = zeros = 0
        while True:
            is_end = not self._fill(_WINDOW_BYTES)
            limit = len(self._data) - (0 if is_end else _LOOKAHEAD_BYTES)
            found = next(self._frames_before(limit, is_end), None)
            end = limit if found is None else found
            passed += end - self._at
            zeros += self._data.count(0, self._at, end)
            self._at = end
            if found is not None or is_end:
                return passed, zeros, found is not None

    def _frames_before(self, limit: int, is_end: bool) -> Iterator[int]:
        for match in HEADER_START.finditer(self._data, self._at, limit):
            if self._is_frame(match.start(), is_end):
                yield match.start()

    def _is_frame(self, at: int, is_end: bool) -> bool:
        header = self._header(at)
        if header is None or (end := at + header.size_bytes) > len(self._data):
            return False
        if header.is_same_stream(self._header(end)) or stated_length(header, self._data[at:end]) is not None:
            return True
        return (is_end and end == len(self._data)) or self._data.startswith(TAG_STARTS, end)

    def _header(self, at: int) -> FrameHeader | None:
        return parse_frame_header(self._data[at : at + HEADER_BYTES])

    def _skip_tags(self) -> bool:
        """Skip all tags that start here; return whether there was one."""
        has_tag = False
        while self._fill(_LOOKAHEAD_BYTES) or self._at < len(self._data):
            size = tag_size_bytes(self._data[self._at : self._at + _LOOKAHEAD_BYTES])
            if not size or not self._is_plausible_end(size):
                break
            self._skip(size)
            has_tag = True
        return has_tag

    def _is_plausible_end(self, size: int) -> bool:
        """Whether a frame, a tag, zeros or the file's end come after `size` bytes: tags may state a wrong size."""
        position = self._file.tell()
        self._file.seek(position - (len(self._data) - self._at) + size)
        is_end = self._file.tell() == self._end
        after = self._file.read(HEADER_BYTES)
        self._file.seek(position)
        return is_end or after == bytes(4) or after.startswith(TAG_STARTS) or parse_frame_header(after) is not None

    def _skip(self, size: int) -> None:
        inside = min(size, len(self._data) - self._at)
        self._at += inside
        self._file.seek(size - inside, 1)

    def _read(self, size: int) -> bytes:
        return self._file.read(max(0, min(size, self._end - self._file.tell())))

    def _fill(self, size: int) -> bool:
        """Have at least `size` bytes after the position; return whether there are as many."""
        if len(self._data) - self._at < size:
            kept = min(self._at, _LOOKAHEAD_BYTES)  # to go back into the last frame
            self._data = self._data[self._at - kept :] + self._read(max(size, _WINDOW_BYTES))
            self._at = kept
        return len(self._data) >= self._at + size


def _length_in(frame: bytes) -> StatedLength | None:
    header = parse_frame_header(frame[:HEADER_BYTES])
    return None if header is None else stated_length(header, frame)
