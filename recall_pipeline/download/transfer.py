"""Download a pre-signed URL into a partial file, with resume (docs/design/recall-api.md, section 6).

A partial file stays in the staging folder beside a note of its ETag. This process or a later one resumes it with
`Range` and `If-Range`. Each response is checked before a byte is appended (body_promise.py).
"""

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar
from urllib.parse import urljoin

import httpx
import stamina
from pydantic import SecretStr

from recall_pipeline.download.body_promise import BodyPromise, begin_body, is_whole_already
from recall_pipeline.download.content_codings import check_size
from recall_pipeline.download.host_breakers import WORKING_BYTES, HostBreakers
from recall_pipeline.download.minimum_throughput import Clock, MinimumThroughput
from recall_pipeline.download.partials import Partial
from recall_pipeline.download.refusals import check_destination, check_status
from recall_pipeline.download.url_guard import UrlGuard
from recall_pipeline.errors import LinkExpired, TransferError, TransferRefused
from recall_pipeline.http import connection_fault, exact_target
from recall_pipeline.settings import Settings
from recall_pipeline.storage import storage_error

T = TypeVar("T")
_ATTEMPTS = 6
FRESH_URLS = 3
"""How many fresh URLs in a row without a byte are tried."""
_MOST_URLS = 20  # a long download on a slow line may outlive several
_REDIRECTS = 3


class Transfer:
    """Downloads over one connection pool, which never sends the API key."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        settings: Settings,
        breakers: HostBreakers | None = None,
        *,
        clock: Clock = time.monotonic,
    ) -> None:
        self._http = http
        self._breakers = breakers or HostBreakers()
        self._limit_bytes = settings.max_file_bytes
        self._guard = UrlGuard.of(settings)
        self._clock = clock
        self._dead_urls: set[str] = set()
        self.bytes_received = 0

    async def fetch(self, url: SecretStr, fresh_url: Callable[[], Awaitable[SecretStr]], partial: Partial) -> bool:
        """Complete `partial`, and return whether HTTP promised the length that was received.

        A URL that the media host refuses is replaced by `fresh_url`, and never requested again. Raises TransferError,
        and MediaHostDown if the breaker of its host is open.
        """
        throughput = MinimumThroughput(self._clock)
        without_a_byte = 0
        for _ in range(_MOST_URLS):
            received_before = throughput.received_bytes
            try:
                return await self._download(url, partial, throughput)
            except LinkExpired:
                self._dead_urls.add(url.get_secret_value())
                without_a_byte = 0 if throughput.received_bytes > received_before else without_a_byte
                if without_a_byte == FRESH_URLS or throughput.is_used_up:
                    raise
            url = await fresh_url()
            without_a_byte += 1
        raise LinkExpired(f"the media host refused {_MOST_URLS} links, each after some bytes")

    async def _download(self, url: SecretStr, partial: Partial, throughput: MinimumThroughput) -> bool:
        if url.get_secret_value() in self._dead_urls:
            raise LinkExpired("Recall.ai returned the same URL that the media host refused: the next sync tries again")
        is_promised = await self._download_with_retries(url, partial, throughput)
        try:
            return await asyncio.to_thread(partial.unpack, self._limit_bytes) or is_promised
        except OSError as error:
            raise _cannot_write(partial, error) from None

    async def _download_with_retries(self, url: SecretStr, partial: Partial, throughput: MinimumThroughput) -> bool:
        def is_retryable(fault: Exception) -> bool:
            is_final = isinstance(fault, LinkExpired) or throughput.is_used_up
            return isinstance(fault, TransferError) and fault.retry_can_help and not is_final

        async for attempt in stamina.retry_context(
            on=is_retryable, attempts=_ATTEMPTS, timeout=None, wait_initial=0.5, wait_max=8, wait_jitter=0.5
        ):
            with attempt:
                return await self._attempt(url.get_secret_value(), partial, throughput)
        raise AssertionError("stamina returns a result or raises an error")

    async def _attempt(self, url: str, partial: Partial, throughput: MinimumThroughput) -> bool:
        offset, etag = partial.size_bytes, partial.etag
        headers = {"Accept-Encoding": "identity"}
        if offset and etag:
            headers |= {"Range": f"bytes={offset}-", "If-Range": etag}
        try:
            receive = functools.partial(self._receive, partial=partial, throughput=throughput)
            return await self.follow(url, headers, receive, mp3=partial.path.stem)
        except (httpx.InvalidURL, ValueError):
            raise TransferRefused("the download URL cannot be read") from None
        except httpx.HTTPError as error:
            reason, action = connection_fault(error, url, "the next sync resumes it")
            message = f"the media host broke off ({reason}) after {partial.size_bytes} bytes: {action}"
            raise TransferError(message) from None
        except OSError as error:
            raise _cannot_write(partial, error) from None

    async def follow(
        self, url: str, headers: Mapping[str, str], receive: Callable[[httpx.Response], Awaitable[T]], mp3: str = ""
    ) -> T:
        """Open `url`, following a few redirects, each to an address that is allowed; return what `receive` does.

        A failure is counted for the host of the last URL, and for `mp3`, the id of the artifact. Raises TransferError,
        MediaHostDown, and the exceptions of httpx.
        """
        for redirects in range(_REDIRECTS + 1):
            with self._breakers.attempt(url, mp3):
                await self._guard.check_url(url)
                async with self._http.stream("GET", url, headers=headers, extensions=exact_target(url)) as response:
                    self._guard.check_peer(response)
                    if not response.has_redirect_location:
                        check_destination(response, redirects)
                        return await receive(response)
                    url = urljoin(url, response.headers["location"])
        raise TransferError("the media host redirects without end")

    async def _receive(self, response: httpx.Response, partial: Partial, throughput: MinimumThroughput) -> bool:
        if is_whole_already(response, partial):
            self._breakers.add_success(response.request.url)
            return True
        await check_status(response, partial)
        promise = begin_body(response, partial, self._limit_bytes)
        await self._append(response, partial, throughput, promise)
        expected = promise.total or promise.end
        if expected is not None and partial.size_bytes != expected:
            raise TransferError(f"received {partial.size_bytes} of {expected} bytes")
        self._breakers.add_success(response.request.url)
        return promise.is_length_promised

    async def _append(
        self, response: httpx.Response, partial: Partial, throughput: MinimumThroughput, promise: BodyPromise
    ) -> None:
        size = size_before = partial.size_bytes
        throughput.begin_window()
        with partial.path.open("ab") as file:
            async for chunk in response.aiter_raw():  # raw: ranges count packed bytes
                size += len(chunk)
                check_size(size, self._limit_bytes)
                if promise.end is not None and size > promise.end:
                    partial.discard()
                    raise TransferError(f"more than the {promise.end} bytes promised came; starting again")
                file.write(chunk)
                self.bytes_received += len(chunk)
                throughput.count(len(chunk))
                if size - size_before >= WORKING_BYTES:
                    self._breakers.add_success(response.request.url)


def _cannot_write(partial: Partial, error: OSError) -> TransferRefused:
    return TransferRefused(str(storage_error("write", str(partial.path), error)))
