"""The files behind download links: their bytes, built on first use, and their expected outcome."""

import hashlib
from dataclasses import dataclass
from functools import cache, lru_cache
from threading import RLock
from typing import Protocol

from recall_sandbox.speech import Speech


class Content(Protocol):
    """A file that can be served; equal contents have equal bytes, and are built once."""

    def __hash__(self) -> int: ...

    @property
    def outcome(self) -> str:
        """`ready`, `silent` or `corrupt` (docs/design/interface.md, section 4, rows 2 and 3)."""
        ...

    @property
    def media_type(self) -> str:
        """The Content-Type of the answer."""
        ...

    def body(self) -> bytes:
        """Build the bytes."""
        ...


@dataclass(frozen=True)
class Truncated:
    """An MP3 without its end: it is served completely, but its length header promises more."""

    of: Speech
    kept: float = 0.6
    outcome: str = "corrupt"
    media_type: str = "audio/mpeg"

    def body(self) -> bytes:
        """The first part of the file's bytes; `kept` is its share (0 to 1)."""
        whole = self.of.body()
        return whole[: int(len(whole) * self.kept)]


@dataclass(frozen=True)
class ErrorPage:
    """A web page, served with status 200 instead of audio."""

    outcome: str = "corrupt"
    media_type: str = "text/html; charset=utf-8"

    def body(self) -> bytes:
        """The HTML page."""
        return (
            b"<!DOCTYPE html>\n<html><head><title>Service Unavailable</title></head>\n"
            b"<body><h1>We will be back soon</h1></body></html>\n"
        )


@dataclass(frozen=True)
class RawAudio:
    """The file of an artifact with the format `raw`; the pipeline must not download it."""

    seconds: float = 1.0
    outcome: str = "ready"
    media_type: str = "application/octet-stream"

    def body(self) -> bytes:
        """Silence as signed 16-bit PCM, 16 kHz, mono."""
        return b"\0\0" * int(self.seconds * 16_000)


@dataclass(frozen=True)
class Digest:
    """Size and checksums of a content."""

    size_bytes: int
    sha256: str
    md5: str


_building = RLock()


def body_of(content: Content) -> bytes:
    """The bytes of a content, cached; only one thread builds at a time."""
    with _building:
        return _cached_body(content)


@lru_cache(maxsize=64)
def _cached_body(content: Content) -> bytes:
    return content.body()


@cache
def digest_of(content: Content) -> Digest:
    """Size and checksums of a content's bytes, cached."""
    body = body_of(content)
    return Digest(
        size_bytes=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
        md5=hashlib.md5(body, usedforsecurity=False).hexdigest(),
    )
