"""A file as a demuxer sees it: between its leading and trailing tags, and without a name."""

import errno
import io
from pathlib import Path

from recall_pipeline.audio.tags import leading_tags_bytes, trailing_tags_bytes

_MAX_POSITION = 1 << 62


class UntaggedFile:
    """A file without the tags at its ends. It has no name: libav would choose a demuxer by it."""

    def __init__(self, path: Path) -> None:
        """Open the file. Raises OSError if it cannot be read."""
        self._start = leading_tags_bytes(path)
        self._file = path.open("rb")
        self.size_bytes = max(0, self._file.seek(0, io.SEEK_END) - trailing_tags_bytes(path) - self._start)
        self.seek(0)

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes from the position on."""
        left = max(0, self.size_bytes - self.tell())
        return self._file.read(left if size < 0 else min(size, left))

    def read_at(self, offset: int, size: int) -> bytes:
        """Return up to `size` bytes from `offset` on; empty if there are none."""
        return self.read(size) if self.seek(offset) >= 0 else b""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position and return it; a negative number if there is none, which damaged headers state."""
        target = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.tell(), io.SEEK_END: self.size_bytes}[whence]
        if not 0 <= target <= _MAX_POSITION:
            return -errno.EINVAL
        return self._file.seek(self._start + target) - self._start

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell() - self._start

    def close(self) -> None:
        """Close the file."""
        self._file.close()
