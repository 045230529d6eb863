"""Bring the bytes behind a pre-signed URL into a file, whole or not at all (recall_api.md section 6).

A partial file stays in the spool beside a note of its ETag and is resumed, by this process or a later one, with
`Range` and `If-Range`; whatever the server answers is checked before a byte is appended.
"""

import json
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import httpx
import stamina
from pydantic import SecretStr

from recall_pipeline.capture.addresses import check_address
from recall_pipeline.errors import LinkExpired, TransferError, TransferRefused
from recall_pipeline.redaction import redact
from recall_pipeline.settings import Settings, is_loopback

TIMEOUT = httpx.Timeout(connect=10, read=30, write=30, pool=None)
_ATTEMPTS = 6
_FRESH_URLS = 3  # a long download on a slow line may outlive several
_REDIRECTS = 3
_RATE_WINDOW_SECONDS = 60.0
_SLOWEST_BYTES_PER_WINDOW = 64 * 1024
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_EXPIRED = frozenset({401, 403, 404, 410})

Clock = Callable[[], float]
Received = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Partial:
    """A partial file, and the note that tells whether it may be resumed."""

    path: Path

    @property
    def _note(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")

    @property
    def size_bytes(self) -> int:
        """Bytes received so far."""
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def etag(self) -> str | None:
        """The strong ETag of what the bytes were taken from; None when they cannot be resumed."""
        try:
            noted = json.loads(self._note.read_text()).get("etag")
        except (OSError, ValueError, AttributeError):
            return None
        return noted if isinstance(noted, str) else None

    def start(self, etag: str | None) -> None:
        """Begin again with nothing."""
        self.discard()
        self.path.touch(mode=0o600)
        self._note.touch(mode=0o600)
        self._note.write_text(json.dumps({"etag": etag}))

    def discard(self) -> None:
        """Forget the bytes and the note."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def keep_bytes_only(self) -> Path:
        """Drop the note of a whole file, and return its path."""
        self._note.unlink(missing_ok=True)
        return self.path


class Transfer:
    """Downloads over one connection pool that carries no key."""

    def __init__(self, http: httpx.AsyncClient, settings: Settings, *, clock: Clock = time.monotonic) -> None:
        self._http = http
        self._limit_bytes = settings.max_file_bytes
        self._loopback_allowed = is_loopback(httpx.URL(settings.base_url).host)
        self._clock = clock
        self.bytes_received = 0

    async def fetch(self, url: SecretStr, fresh_url: Callable[[], Awaitable[SecretStr]], partial: Partial) -> None:
        """Complete `partial`; raise TransferError. A URL that has expired is replaced by `fresh_url`, a few times."""
        for _ in range(_FRESH_URLS):
            try:
                await self._insist(url, partial)
            except LinkExpired:
                url = await fresh_url()
            else:
                return
        await self._insist(url, partial)

    async def _insist(self, url: SecretStr, partial: Partial) -> None:
        async for attempt in stamina.retry_context(
            on=_worth_another_try, attempts=_ATTEMPTS, timeout=None, wait_initial=0.5, wait_max=8, wait_jitter=0.5
        ):
            with attempt:
                await self._once(url.get_secret_value(), partial)

    async def _once(self, url: str, partial: Partial) -> None:
        offset, etag = partial.size_bytes, partial.etag
        headers = {"Accept-Encoding": "identity"}
        if offset and etag:
            headers |= {"Range": f"bytes={offset}-", "If-Range": etag}
        try:
            await self._follow(url, headers, partial)
        except (httpx.InvalidURL, ValueError):
            raise TransferRefused("the download URL cannot be read") from None
        except httpx.HTTPError as fault:
            kind = redact(str(fault)) or type(fault).__name__
            raise TransferError(f"the media host broke off ({kind}) after {partial.size_bytes} bytes") from None
        except OSError as fault:
            raise TransferRefused(f"cannot write the partial file {partial.path}: {fault.strerror}") from None

    async def _follow(self, url: str, headers: dict[str, str], partial: Partial) -> None:
        """Open `url`, following a few redirects, each to an address that is allowed."""
        for _ in range(_REDIRECTS + 1):
            await check_address(url, loopback_allowed=self._loopback_allowed)
            async with self._http.stream("GET", url, headers=headers) as answer:
                if not answer.has_redirect_location:
                    await self._receive(answer, partial)
                    return
                url = urljoin(url, answer.headers["location"])
        raise TransferError("the media host redirects without end")

    async def _receive(self, answer: httpx.Response, partial: Partial) -> None:
        _check_status(answer, partial)
        if answer.status_code == httpx.codes.PARTIAL_CONTENT:
            total = _checked_range(answer, partial)
        else:
            partial.start(_strong_etag(answer))
            total = _length(answer.headers.get("content-length"))
        self._check_size(total or 0)
        await self._append(answer, partial)
        if total is not None and partial.size_bytes != total:
            raise TransferError(f"{partial.size_bytes} bytes came of the {total} promised")

    async def _append(self, answer: httpx.Response, partial: Partial) -> None:
        size, window_start, window_bytes = partial.size_bytes, self._clock(), 0
        with partial.path.open("ab") as file:
            async for chunk in answer.aiter_raw():
                file.write(chunk)
                size += len(chunk)
                window_bytes += len(chunk)
                self.bytes_received += len(chunk)
                self._check_size(size)
                if self._clock() - window_start > _RATE_WINDOW_SECONDS:
                    if window_bytes < _SLOWEST_BYTES_PER_WINDOW:
                        raise TransferError(f"only {window_bytes} bytes came in {_RATE_WINDOW_SECONDS:.0f} s")
                    window_start, window_bytes = self._clock(), 0

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > self._limit_bytes:
            limit_mib = self._limit_bytes // 2**20
            raise TransferRefused(f"larger than RECALL_MAX_FILE_MB={limit_mib}: raise it if such meetings are real")


def _worth_another_try(fault: Exception) -> bool:
    return isinstance(fault, TransferError) and fault.retry_can_help and not isinstance(fault, LinkExpired)


def _check_status(answer: httpx.Response, partial: Partial) -> None:
    status = answer.status_code
    if status in _EXPIRED:
        raise LinkExpired(f"the media host answers {status}, even to a fresh URL")
    if status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        partial.discard()
        raise TransferError("the partial file is longer than what is served; starting again")
    if status not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
        raise TransferError(f"the media host answers {status}")


def _checked_range(answer: httpx.Response, partial: Partial) -> int | None:
    """Return the total length of a 206 that begins where the partial file ends; start again otherwise."""
    matched = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
    if matched is None or int(matched[1]) != partial.size_bytes or _strong_etag(answer) not in (None, partial.etag):
        partial.discard()
        raise TransferError("the media host resumed at the wrong place; starting again")
    return _length(matched[2])


def _strong_etag(answer: httpx.Response) -> str | None:
    etag: str = answer.headers.get("etag", "")
    return etag if etag.startswith('"') else None


def _length(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None
