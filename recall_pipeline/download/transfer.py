"""Download a pre-signed URL into a partial file, with resume (docs/design/recall-api.md, section 6).

A partial file stays in the spool beside a note of its ETag and is resumed, by this process or a later one, with
`Range` and `If-Range`; whatever the server answers is checked before a byte is appended.
"""

import re
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urljoin

import httpx
import stamina
from pydantic import SecretStr

from recall_pipeline.download.minimum_throughput import Clock, MinimumThroughput
from recall_pipeline.download.partials import Partial
from recall_pipeline.download.url_guard import check_peer, check_url
from recall_pipeline.errors import LinkExpired, TransferError, TransferRefused
from recall_pipeline.redaction import redact
from recall_pipeline.settings import Settings, is_loopback
from recall_pipeline.storage import storage_error

TIMEOUT = httpx.Timeout(connect=10, read=30, write=30, pool=None)
_ATTEMPTS = 6
_FRESH_URLS = 3  # a long download on a slow line may outlive several
_REDIRECTS = 3
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_MOST_DIGITS = 18  # an exabyte, which is refused in any case
_EXPIRED = frozenset({401, 403, 404, 410})


class Transfer:
    """Downloads over one connection pool, which never sends the API key."""

    def __init__(self, http: httpx.AsyncClient, settings: Settings, *, clock: Clock = time.monotonic) -> None:
        self._http = http
        self._limit_bytes = settings.max_file_bytes
        self._loopback_allowed = is_loopback(httpx.URL(settings.base_url).host)
        self._clock = clock
        self.bytes_received = 0

    async def fetch(self, url: SecretStr, fresh_url: Callable[[], Awaitable[SecretStr]], partial: Partial) -> None:
        """Complete `partial`; raise TransferError. A URL that has expired is replaced by `fresh_url`, a few times."""
        pace = MinimumThroughput(self._clock)
        for _ in range(_FRESH_URLS):
            try:
                await self._insist(url, partial, pace)
            except LinkExpired:
                url = await fresh_url()
            else:
                return
        await self._insist(url, partial, pace)

    async def _insist(self, url: SecretStr, partial: Partial, pace: MinimumThroughput) -> None:
        def worth_another_try(fault: Exception) -> bool:
            is_final = isinstance(fault, LinkExpired) or pace.is_used_up
            return isinstance(fault, TransferError) and fault.retry_can_help and not is_final

        async for attempt in stamina.retry_context(
            on=worth_another_try, attempts=_ATTEMPTS, timeout=None, wait_initial=0.5, wait_max=8, wait_jitter=0.5
        ):
            with attempt:
                await self._once(url.get_secret_value(), partial, pace)

    async def _once(self, url: str, partial: Partial, pace: MinimumThroughput) -> None:
        offset, etag = partial.size_bytes, partial.etag
        headers = {"Accept-Encoding": "identity"}
        if offset and etag:
            headers |= {"Range": f"bytes={offset}-", "If-Range": etag}
        try:
            await self._follow(url, headers, partial, pace)
        except (httpx.InvalidURL, ValueError):
            raise TransferRefused("the download URL cannot be read") from None
        except httpx.HTTPError as fault:
            kind = redact(str(fault)) or type(fault).__name__
            raise TransferError(f"the media host broke off ({kind}) after {partial.size_bytes} bytes") from None
        except OSError as fault:
            raise TransferRefused(str(storage_error("write", str(partial.path), fault))) from None

    async def _follow(self, url: str, headers: dict[str, str], partial: Partial, pace: MinimumThroughput) -> None:
        """Open `url`, following a few redirects, each to an address that is allowed."""
        for _ in range(_REDIRECTS + 1):
            await check_url(url, loopback_allowed=self._loopback_allowed)
            async with self._http.stream("GET", url, headers=headers) as answer:
                check_peer(answer, loopback_allowed=self._loopback_allowed)
                if not answer.has_redirect_location:
                    await self._receive(answer, partial, pace)
                    return
                url = urljoin(url, answer.headers["location"])
        raise TransferError("the media host redirects without end")

    async def _receive(self, answer: httpx.Response, partial: Partial, pace: MinimumThroughput) -> None:
        if _is_whole_already(answer, partial):
            return
        _check_status(answer, partial)
        if answer.status_code == httpx.codes.PARTIAL_CONTENT:
            total = _checked_range(answer, partial)
        else:
            partial.start(_strong_etag(answer))
            total = _content_length(answer.headers.get("content-length"))
        self._check_size(total or 0)
        await self._append(answer, partial, pace, total)
        if total is not None and partial.size_bytes != total:
            raise TransferError(f"{partial.size_bytes} bytes came of the {total} promised")

    async def _append(
        self, answer: httpx.Response, partial: Partial, pace: MinimumThroughput, total: int | None
    ) -> None:
        size = partial.size_bytes
        pace.begin_window()
        with partial.path.open("ab") as file:
            async for chunk in answer.aiter_raw():  # raw: compressed content is never unpacked
                size += len(chunk)
                self._check_size(size)
                if total is not None and size > total:
                    partial.discard()
                    raise TransferError(f"more than the {total} bytes promised came; starting again")
                file.write(chunk)
                self.bytes_received += len(chunk)
                pace.count(len(chunk))

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > self._limit_bytes:
            limit_mib = self._limit_bytes // 2**20
            raise TransferRefused(f"larger than RECALL_MAX_FILE_MB={limit_mib}: raise it if such meetings are real")


def _is_whole_already(answer: httpx.Response, partial: Partial) -> bool:
    """Whether an earlier process received all bytes and ended before publication."""
    size = partial.size_bytes
    if not size or not partial.etag or answer.status_code != httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        return False
    return bool(answer.headers.get("content-range") == f"bytes */{size}")


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
    """Return the total length of a 206 that starts at the end of the partial file; start again otherwise."""
    matched = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
    if (
        matched is None
        or _content_length(matched[1]) != partial.size_bytes
        or _strong_etag(answer) not in (None, partial.etag)
    ):
        partial.discard()
        raise TransferError("the media host resumed at the wrong place; starting again")
    return _content_length(matched[2])


def _strong_etag(answer: httpx.Response) -> str | None:
    etag: str = answer.headers.get("etag", "")
    return etag if etag.startswith('"') else None


def _content_length(text: str | None) -> int | None:
    return int(text[:_MOST_DIGITS]) if text and text.isdecimal() else None
