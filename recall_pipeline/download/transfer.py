"""Download a pre-signed URL into a partial file, with resume (docs/design/recall-api.md, section 6).

A partial file stays in the staging folder beside a note of its ETag. This process or a later one resumes it with
`Range` and `If-Range`. Each response is checked before a byte is appended.
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
        throughput = MinimumThroughput(self._clock)
        for _ in range(_FRESH_URLS):
            try:
                await self._download_with_retries(url, partial, throughput)
            except LinkExpired:
                url = await fresh_url()
            else:
                return
        await self._download_with_retries(url, partial, throughput)

    async def _download_with_retries(self, url: SecretStr, partial: Partial, throughput: MinimumThroughput) -> None:
        def is_retryable(fault: Exception) -> bool:
            is_final = isinstance(fault, LinkExpired) or throughput.is_used_up
            return isinstance(fault, TransferError) and fault.retry_can_help and not is_final

        async for attempt in stamina.retry_context(
            on=is_retryable, attempts=_ATTEMPTS, timeout=None, wait_initial=0.5, wait_max=8, wait_jitter=0.5
        ):
            with attempt:
                await self._attempt(url.get_secret_value(), partial, throughput)

    async def _attempt(self, url: str, partial: Partial, throughput: MinimumThroughput) -> None:
        offset, etag = partial.size_bytes, partial.etag
        headers = {"Accept-Encoding": "identity"}
        if offset and etag:
            headers |= {"Range": f"bytes={offset}-", "If-Range": etag}
        try:
            await self._follow(url, headers, partial, throughput)
        except (httpx.InvalidURL, ValueError):
            raise TransferRefused("the download URL cannot be read") from None
        except httpx.HTTPError as error:
            kind = redact(str(error)) or type(error).__name__
            raise TransferError(f"the media host broke off ({kind}) after {partial.size_bytes} bytes") from None
        except OSError as error:
            raise TransferRefused(str(storage_error("write", str(partial.path), error))) from None

    async def _follow(self, url: str, headers: dict[str, str], partial: Partial, throughput: MinimumThroughput) -> None:
        """Open `url`, following a few redirects, each to an address that is allowed."""
        for _ in range(_REDIRECTS + 1):
            await check_url(url, loopback_allowed=self._loopback_allowed)
            async with self._http.stream("GET", url, headers=headers) as response:
                check_peer(response, loopback_allowed=self._loopback_allowed)
                if not response.has_redirect_location:
                    await self._receive(response, partial, throughput)
                    return
                url = urljoin(url, response.headers["location"])
        raise TransferError("the media host redirects without end")

    async def _receive(self, response: httpx.Response, partial: Partial, throughput: MinimumThroughput) -> None:
        if _is_whole_already(response, partial):
            return
        _check_status(response, partial)
        if response.status_code == httpx.codes.PARTIAL_CONTENT:
            total = _checked_range(response, partial)
        else:
            partial.start(_strong_etag(response))
            total = _content_length(response.headers.get("content-length"))
        self._check_size(total or 0)
        await self._append(response, partial, throughput, total)
        if total is not None and partial.size_bytes != total:
            raise TransferError(f"{partial.size_bytes} bytes came of the {total} promised")

    async def _append(
        self, response: httpx.Response, partial: Partial, throughput: MinimumThroughput, total: int | None
    ) -> None:
        size = partial.size_bytes
        throughput.begin_window()
        with partial.path.open("ab") as file:
            async for chunk in response.aiter_raw():  # raw: compressed content is never unpacked
                size += len(chunk)
                self._check_size(size)
                if total is not None and size > total:
                    partial.discard()
                    raise TransferError(f"more than the {total} bytes promised came; starting again")
                file.write(chunk)
                self.bytes_received += len(chunk)
                throughput.count(len(chunk))

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > self._limit_bytes:
            limit_mib = self._limit_bytes // 2**20
            raise TransferRefused(f"larger than RECALL_MAX_FILE_MB={limit_mib}: raise it if such meetings are real")


def _is_whole_already(response: httpx.Response, partial: Partial) -> bool:
    """Whether an earlier process received all bytes and ended before publication."""
    size = partial.size_bytes
    if not size or not partial.etag or response.status_code != httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        return False
    return bool(response.headers.get("content-range") == f"bytes */{size}")


def _check_status(response: httpx.Response, partial: Partial) -> None:
    status = response.status_code
    if status in _EXPIRED:
        raise LinkExpired(f"the media host answers {status}, even to a fresh URL")
    if status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        partial.discard()
        raise TransferError("the partial file is longer than what is served; starting again")
    if status not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
        raise TransferError(f"the media host answers {status}")


def _checked_range(response: httpx.Response, partial: Partial) -> int | None:
    """Return the total length of a 206 that starts at the end of the partial file; start again otherwise."""
    matched = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
    if (
        matched is None
        or _content_length(matched[1]) != partial.size_bytes
        or _strong_etag(response) not in (None, partial.etag)
    ):
        partial.discard()
        raise TransferError("the media host resumed at the wrong place; starting again")
    return _content_length(matched[2])


def _strong_etag(response: httpx.Response) -> str | None:
    etag: str = response.headers.get("etag", "")
    return etag if etag.startswith('"') else None


def _content_length(text: str | None) -> int | None:
    return int(text[:_MOST_DIGITS]) if text and text.isdecimal() else None
