"""What lies behind a download link: bytes built when first asked for, and what they are worth."""

import hashlib
from dataclasses import dataclass
from functools import cache, lru_cache
from threading import RLock
from typing import Protocol

from recall_sandbox.speech import Speech


class Content(Protocol):
    """Always the same bytes; equal contents are built once."""

    def __hash__(self) -> int: ...

    @property
    def outcome(self) -> str:
        """`ready`, `silent` or `corrupt` (docs/design/interface.md, section 4, rows 2 and 3)."""
        ...

    @property
    def media_type(self) -> str:
        """The Content-Type it is served with."""
        ...

    def body(self) -> bytes:
        """The bytes."""
        ...


@dataclass(frozen=True)
class Truncated:
    """An MP3 that lost its end long ago: it is served whole, yet its own header promises more."""

    of: Speech
    kept: float = 0.6
    outcome: str = "corrupt"
    media_type: str = "audio/mpeg"

    def body(self) -> bytes:
        """The first `kept` of the file's bytes."""
        whole = self.of.body()
        return whole[: int(len(whole) * self.kept)]


@dataclass(frozen=True)
class ErrorPage:
    """A web page served with 200 where audio should be."""

    outcome: str = "corrupt"
    media_type: str = "text/html; charset=utf-8"

    def body(self) -> bytes:
        """The page."""
        return (
            b"<!DOCTYPE html>\n<html><head><title>Service Unavailable</title></head>\n"
            b"<body><h1>We will be back soon</h1></body></html>\n"
        )


@dataclass(frozen=True)
class RawAudio:
    """An artifact of format `raw`; nobody should ever fetch it."""

    seconds: float = 1.0
    outcome: str = "ready"
    media_type: str = "application/octet-stream"

    def body(self) -> bytes:
        """Signed 16-bit silence, 16 kHz."""
        return b"\0\0" * int(self.seconds * 16_000)


@dataclass(frozen=True)
class Digest:
    """What identifies a content's bytes."""

    size_bytes: int
    sha256: str
    md5: str


_building = RLock()


def body_of(content: Content) -> bytes:
    """The bytes of a content, kept for the next time; two threads never build side by side."""
    with _building:
        return _kept_body(content)


@lru_cache(maxsize=64)
def _kept_body(content: Content) -> bytes:
    return content.body()


@cache
def digest_of(content: Content) -> Digest:
    """Size and checksums of a content's bytes."""
    body = body_of(content)
    return Digest(
        size_bytes=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
        md5=hashlib.md5(body, usedforsecurity=False).hexdigest(),
    )
