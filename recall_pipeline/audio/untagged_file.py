"""A file as a demuxer sees it: after its leading tags, and without a name."""

import errno
import io
from pathlib import Path

from recall_pipeline.audio.tags import leading_tags_bytes


class UntaggedFile:
    """A file from the end of its ID3v2 tags on. It has no name: libav would choose a demuxer by it."""

    def __init__(self, path: Path) -> None:
        """Open the file. Raises OSError if it cannot be read."""
        self._start = leading_tags_bytes(path)
        self._file = path.open("rb")
        self.size_bytes = max(0, self._file.seek(0, io.SEEK_END) - self._start)
        self.seek(0)

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes from the position on."""
        return self._file.read(size)

    def read_at(self, offset: int, size: int) -> bytes:
        """Return up to `size` bytes from `offset` on; empty if there are none."""
        return self.read(size) if self.seek(offset) >= 0 else b""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position and return it; a negative number if there is none, which damaged headers state."""
        from_start = self._start if whence == io.SEEK_SET else 0
        try:
            return self._file.seek(offset + from_start, whence) - self._start
        except (OSError, ValueError, OverflowError):
            return -errno.EINVAL

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell() - self._start

    def close(self) -> None:
        """Close the file."""
        self._file.close()
