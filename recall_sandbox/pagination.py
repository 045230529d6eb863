"""The two kinds of pagination: page numbers for bots, cursors for recordings and audio."""

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
    """Rows in the order of a list, and their sort keys, ascending."""

    rows: Sequence[Row]
    keys: Sequence[str]


@dataclass(frozen=True)
class Page(Generic[Row]):
    """The rows of one page, and the absolute URLs of its neighbours; None without one."""

    rows: Sequence[Row]
    next: str | None
    previous: str | None


def sort_key(order: Order, at: datetime | None, row_id: str) -> str:
    """The sort key of a row. The default order is random, since the service does not document one."""
    if order == "scrambled":
        return hashlib.sha256(row_id.encode()).hexdigest()
    microseconds = round(at.timestamp() * 1_000_000) if at else 0
    if order == "newest":
        microseconds = _FAR_MICROSECONDS - microseconds
    return f"{microseconds:018d}|{row_id}"


def ordered(rows: Sequence[Row], key_of: Callable[[Row], str]) -> Ordered[Row]:
    """Sort rows by their keys."""
    pairs = sorted(((key_of(row), row) for row in rows), key=lambda pair: pair[0])
    return Ordered([row for _, row in pairs], [at for at, _ in pairs])


def numbered_page(rows: Ordered[Row], url: URL, number: str, size: int, repeat: int) -> Page[Row]:
    """Page `number`, counted from 1; 404 for a page that does not exist (docs/design/recall-api.md, section 4)."""
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


def offset_page(rows: Ordered[Row], url: URL, offset: str, size: int, repeat: int) -> Page[Row]:
    """The rows from `offset` on, counted from 0."""
    start = int(offset) if offset.isdecimal() else 0
    end = start + size
    return Page(
        rows=rows.rows[max(0, start - repeat) : end],
        next=str(url.include_query_params(offset=end, limit=size)) if end < len(rows.rows) else None,
        previous=str(url.include_query_params(offset=max(0, start - size), limit=size)) if start else None,
    )


def cursor_page(rows: Ordered[Row], url: URL, cursor: str | None, size: int, repeat: int) -> Page[Row]:
    """The rows after `cursor`, a sort key that stays valid without its row (docs/design/recall-api.md, section 5)."""
    start = bisect_right(rows.keys, _read_cursor(cursor)) if cursor else 0
    end = start + size
    has_more = end < len(rows.rows)
    after = rows.keys[end - 1] if has_more else ""
    before = rows.keys[start - size - 1] if start > size else None
    previous = url.include_query_params(cursor=_write_cursor(before)) if before else None
    first = url.remove_query_params("cursor") if start else None
    return Page(
        rows=rows.rows[max(0, start - repeat) : end],
        next=str(url.include_query_params(cursor=_write_cursor(after))) if has_more else None,
        previous=str(previous or first) if start else None,
    )


def _write_cursor(key: str) -> str:
    return base64.urlsafe_b64encode(f"p={key}".encode()).decode()


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
