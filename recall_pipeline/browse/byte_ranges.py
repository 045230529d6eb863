"""Byte ranges of HTTP (RFC 9110): one range of a file, or all of it."""

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes[ \t]*=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes from `start` to `end`, excluded, of a file of `size` bytes."""

    start: int
    end: int
    size: int

    @property
    def length(self) -> int:
        """The number of bytes."""
        return self.end - self.start

    @property
    def content_range(self) -> str:
        """The value of the header Content-Range."""
        return f"bytes {self.start}-{self.end - 1}/{self.size}"


class NotSatisfiable(Exception):
    """A range starts behind the end of the file."""


def requested_range(header: str | None, size: int) -> ByteRange | None:
    """Return the range that a header Range requests; None: all of the file, which also answers what is not one range.

    Raises NotSatisfiable.
    """
    found = _ONE_RANGE.fullmatch(header or "")
    first, last = found.groups() if found else ("", "")
    if not first and not last:
        return None
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1 if last else size)
        if last and int(last) < start:
            return None
    if start >= size:
        raise NotSatisfiable
    return ByteRange(start, end, size)
