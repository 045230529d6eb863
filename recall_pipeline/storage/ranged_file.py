"""A stored object as a file that is read by byte ranges, the last bytes first: there Parquet has its footer."""

import io
from collections.abc import Callable
from typing import Any

TAIL_BYTES = 64 * 1024  # the whole table of most days, so that one request is enough


class RangedFile(io.RawIOBase):
    """A readable file whose bytes are requested when they are read; its last 64 KiB are requested at once.

    `read_range` returns the bytes from a start to an end, a negative start counts from the end, as fsspec defines it;
    `read_size` returns the size of the object in bytes. Both are requests.
    """

    def __init__(self, read_range: Callable[[int, int | None], bytes], read_size: Callable[[], int]) -> None:
        self._read_range = read_range
        self._tail = read_range(-TAIL_BYTES, None)
        self._size_bytes = len(self._tail) if len(self._tail) < TAIL_BYTES else read_size()
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position, and return it."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size_bytes}[whence]
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the object has bytes, and return their number."""
        end = min(self._position + len(buffer), self._size_bytes)
        content = self._bytes(self._position, end) if self._position < end else b""
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)

    def _bytes(self, start: int, end: int) -> bytes:
        tail_start = self._size_bytes - len(self._tail)
        if start >= tail_start:
            return self._tail[start - tail_start : end - tail_start]
        if end <= tail_start:
            return self._read_range(start, end)
        return self._read_range(start, tail_start) + self._tail[: end - tail_start]
