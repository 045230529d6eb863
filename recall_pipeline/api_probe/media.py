"""How the media host answers: one byte of one MP3, without the key, from an address that downloads would accept."""

import re
import time
from dataclasses import dataclass

import httpx

from recall_pipeline.api_probe.words import STORAGE_ERRORS, media_type_word
from recall_pipeline.download import UrlGuard
from recall_pipeline.errors import TransferError
from recall_pipeline.http import exact_target

_RANGE = {"Range": "bytes=0-0", "Accept-Encoding": "identity"}
_MOST_ERROR_BYTES = 4096
_CONTENT_RANGE = re.compile(r"bytes 0-0/(\d+|\*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class MediaReport:
    """The answer to a request for one byte of an MP3; `error` is S3's code, or the word for what went wrong."""

    status: int | None = None
    ranges: str = "unknown"
    content_type: str = "none"
    length: str = "unknown"
    etag: str = "none"
    error: str = "none"
    seconds: float = 0.0


async def read_one_byte(http: httpx.AsyncClient, url: str, guard: UrlGuard) -> tuple[MediaReport, list[str]]:
    """Request one byte of an MP3, and return the answer's description and the names of its headers."""
    started = time.monotonic()
    try:
        await guard.check_url(url)
        async with http.stream("GET", url, headers=_RANGE, extensions=exact_target(url)) as response:
            guard.check_peer(response)
            code = await _error_code(response)
            return _media_report(response, code, time.monotonic() - started), list(response.headers)
    except TransferError as refused:
        word = "the address is not allowed" if not refused.retry_can_help else "the host cannot be found"
        return MediaReport(error=word), []
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError):
        return MediaReport(error="no answer"), []


async def _error_code(response: httpx.Response) -> str:
    """Return S3's code of a refusal, if it is a known one."""
    if response.status_code < httpx.codes.BAD_REQUEST:
        return "none"
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _MOST_ERROR_BYTES:
            break
    found = re.search(rb"<Code>(\w{1,40})</Code>", body[:_MOST_ERROR_BYTES])
    code = found[1].decode("ascii", "replace") if found else ""
    return code if code in STORAGE_ERRORS else "other"


def _media_report(response: httpx.Response, code: str, seconds: float) -> MediaReport:
    headers = response.headers
    return MediaReport(
        status=response.status_code,
        ranges=_ranges(response),
        content_type=media_type_word(headers.get("content-type")),
        length=_length(response),
        etag=_etag(headers.get("etag")),
        error=code if code != "none" else ("redirect" if response.has_redirect_location else "none"),
        seconds=seconds,
    )


def _ranges(response: httpx.Response) -> str:
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        return "honoured" if _CONTENT_RANGE.fullmatch(response.headers.get("content-range", "")) else "wrong"
    return "ignored" if response.status_code == httpx.codes.OK else "refused"


def _length(response: httpx.Response) -> str:
    """Whether the answer states the length of the whole MP3."""
    total = response.headers.get("content-length", "")
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
        total = found[1] if found else ""
    return "stated" if total.isdecimal() else "not stated"


def _etag(header: str | None) -> str:
    if not header:
        return "none"
    return "strong" if header.startswith('"') else "weak"
