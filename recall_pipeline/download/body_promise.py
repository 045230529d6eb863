"""What a response of the media host promises about its body: where it begins and ends, and the length of the whole."""

import re
from dataclasses import dataclass

import httpx

from recall_pipeline.download.content_codings import check_size
from recall_pipeline.download.partials import Partial
from recall_pipeline.errors import TransferError

_CONTENT_RANGE = re.compile(r"bytes[\s:=]+(\d+)\s*-\s*(\d+)\s*/\s*(\d+|\*)", re.IGNORECASE)
_UNSATISFIED = re.compile(r"bytes[\s:=]+\*\s*/\s*(\d+)", re.IGNORECASE)
_MOST_DIGITS = 18  # an exabyte, which is refused in any case


@dataclass(frozen=True, slots=True)
class BodyPromise:
    """`end`: the size of the partial file after this body; `total`: the length of the whole. None: not stated.

    `is_length_promised`: HTTP shows whether the body is complete, by a length or by chunks.
    """

    end: int | None
    total: int | None
    is_length_promised: bool


def begin_body(response: httpx.Response, partial: Partial, limit_bytes: int) -> BodyPromise:
    """Return the promise of a 200 or 206, and start the partial file again where the body is not its continuation.

    Raises TransferError for a part that does not continue the partial file, and TransferRefused for a whole of more
    than `limit_bytes`.
    """
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        return _promise_of_part(response, partial, limit_bytes)
    is_chunked = "transfer-encoding" in response.headers  # then HTTP ignores a length
    length = None if is_chunked else _digits_in(response.headers.get("content-length"))
    check_size(length or 0, limit_bytes)
    partial.start(_strong_etag(response), length, response.headers.get("content-encoding"))
    return BodyPromise(length, length, is_chunked or length is not None)


def is_whole_already(response: httpx.Response, partial: Partial) -> bool:
    """Whether an earlier process received all bytes and ended before publication: a 416 with the size of the file."""
    size = partial.size_bytes
    if not size or not partial.etag or response.status_code != httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        return False
    matched = _UNSATISFIED.fullmatch(response.headers.get("content-range", "").strip())
    return (_digits_in(matched[1]) if matched else partial.total) == size


def _promise_of_part(response: httpx.Response, partial: Partial, limit_bytes: int) -> BodyPromise:
    """Return the promise of a 206; one without a request for a range has to begin at 0 and state the total."""
    matched = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", "").strip())
    first, last, total = (_digits_in(text) for text in matched.groups()) if matched else (None, None, None)
    check_size(total or 0, limit_bytes)
    is_continuation = bool(partial.size_bytes and partial.etag and "range" in response.request.headers)
    known_total = total if total is not None else partial.total if is_continuation else None
    if first is None or last is None or not _fits(first, last, known_total):
        raise _wrong_part(partial)
    if is_continuation:
        _check_continuation(response, partial, first, total)
    elif first != 0 or total is None:
        raise _wrong_part(partial)
    else:
        partial.start(_strong_etag(response), total, response.headers.get("content-encoding"))
    return BodyPromise(last + 1, known_total, known_total is not None)


def _fits(first: int, last: int, total: int | None) -> bool:
    return first <= last and (total is None or last < total)


def _check_continuation(response: httpx.Response, partial: Partial, first: int, total: int | None) -> None:
    """Raise TransferError and start again unless the part continues the file, and is of the same content."""
    same_total = None in (total, partial.total) or total == partial.total
    same_etag = _strong_etag(response) in (None, partial.etag)
    same_coding = response.headers.get("content-encoding") in (None, partial.coding)
    if first != partial.size_bytes or not (same_total and same_etag and same_coding):
        raise _wrong_part(partial)


def _wrong_part(partial: Partial) -> TransferError:
    partial.discard()
    return TransferError("the media host sent another part than was requested; starting again")


def _strong_etag(response: httpx.Response) -> str | None:
    etag: str = response.headers.get("etag", "")
    return etag if etag.startswith('"') else None


def _digits_in(text: str | None) -> int | None:
    return int(text[:_MOST_DIGITS]) if text and text.isdecimal() else None
