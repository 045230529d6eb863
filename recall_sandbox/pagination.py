"""The two paging styles: page numbers for bots, cursors for recordings and audio."""

import base64
import binascii
import hashlib
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from starlette.datastructures import URL

from recall_sandbox.behaviour import Order
from recall_sandbox.refusal import Refusal

Row = TypeVar("Row")
_FAR_MICROSECONDS = 10**17


@dataclass(frozen=True)
class Ordered(Generic[Row]):
    """Rows in a stated order, and each one's place in it, ascending."""

    rows: Sequence[Row]
    places: Sequence[str]


@dataclass(frozen=True)
class Page(Generic[Row]):
    """The rows of one answer, and the absolute URLs beside it."""

    rows: Sequence[Row]
    next: str | None
    previous: str | None


def place(order: Order, at: datetime | None, row_id: str) -> str:
    """Where a row stands: the service does not document its order, so the default has no meaning."""
    if order == "scrambled":
        return hashlib.sha256(row_id.encode()).hexdigest()
    microseconds = round(at.timestamp() * 1_000_000) if at else 0
    if order == "newest":
        microseconds = _FAR_MICROSECONDS - microseconds
    return f"{microseconds:018d}|{row_id}"


def ordered(rows: Sequence[Row], place_of: Callable[[Row], str]) -> Ordered[Row]:
    """Put rows into their places."""
    pairs = sorted(((place_of(row), row) for row in rows), key=lambda pair: pair[0])
    return Ordered([row for _, row in pairs], [at for at, _ in pairs])


def numbered_page(rows: Ordered[Row], url: URL, number: str, size: int, repeat: int) -> Page[Row]:
    """Page `number`, counted from 1; 404 when there is none (docs/design/recall-api.md, section 4)."""
    if not number.isdecimal() or (page := int(number)) < 1:
        raise _no_such_page()
    start = (page - 1) * size
    if start >= len(rows.rows) and page > 1:
        raise _no_such_page()
    end = start + size
    return Page(
        rows=rows.rows[max(0, start - repeat) : end],
        next=str(url.include_query_params(page=page + 1)) if end < len(rows.rows) else None,
        previous=str(url.include_query_params(page=page - 1)) if page > 1 else None,
    )


def cursor_page(rows: Ordered[Row], url: URL, cursor: str | None, size: int, repeat: int) -> Page[Row]:
    """The rows behind `cursor`, a place in the order that outlives its row (docs/design/recall-api.md, section 5)."""
    start = bisect_right(rows.places, _read_cursor(cursor)) if cursor else 0
    end = start + size
    has_more = end < len(rows.rows)
    after = rows.places[end - 1] if has_more else ""
    before = rows.places[start - size - 1] if start > size else None
    previous = url.include_query_params(cursor=_write_cursor(before)) if before else None
    first = url.remove_query_params("cursor") if start else None
    return Page(
        rows=rows.rows[max(0, start - repeat) : end],
        next=str(url.include_query_params(cursor=_write_cursor(after))) if has_more else None,
        previous=str(previous or first) if start else None,
    )


def _write_cursor(place_in_order: str) -> str:
    return base64.urlsafe_b64encode(f"p={place_in_order}".encode()).decode()


def _read_cursor(cursor: str) -> str:
    try:
        text = base64.urlsafe_b64decode(cursor).decode()
    except (binascii.Error, ValueError):
        text = ""
    if not text.startswith("p="):
        raise Refusal(404, {"detail": "Invalid cursor"})
    return text.removeprefix("p=")


def _no_such_page() -> Refusal:
    return Refusal(404, {"detail": "Invalid page."})
