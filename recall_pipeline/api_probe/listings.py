"""How the lists are paged: style, page size, order, rows that two pages share, and where `next` leads."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urljoin, urlsplit

import httpx

from recall_pipeline.api_probe.requests import ProbeAnswer, Requests
from recall_pipeline.api_probe.shapes import moment_of, uuid_of
from recall_pipeline.api_probe.words import PAGE, QUERY, media_type_word, split_names

_STYLES = (("cursor", "cursor"), ("page", "page number"), ("offset", "offset"))
_FEWEST_TO_ORDER = 3


@dataclass(frozen=True, slots=True)
class ListReport:
    """How one list answers. `page_size` is known where a page has a next one; `unusable_rows` would be left out."""

    status: int | None = None
    body: str = "not asked"
    content_type: str = "none"
    seconds: float = 0.0
    page_keys: list[str] = field(default_factory=list)
    unknown_page_keys: int = 0
    rows: int = 0
    unusable_rows: int = 0
    next_page: str = "none"
    next_query: list[str] = field(default_factory=list)
    paging: str = "one page"
    page_size: int | None = None
    second_page: str = "not asked"
    repeated_rows: int = 0
    order: str = "unknown"


async def read_list(ask: Requests, kind: str, first: ProbeAnswer | None) -> tuple[ListReport, list[Any]]:
    """Describe a list from its first page, and read the second if there is one; return its rows too."""
    if first is None:
        return ListReport(), []
    following = first.body.get("next") if isinstance(first.body, dict) else None
    url = _second_page_url(following, f"{ask.base_url}/{kind}/")
    second = await ask.get(url, f"list {kind}") if url else None
    rows = [*first.results, *(second.results if second else [])]
    page_keys, unknown = split_names(first.body if isinstance(first.body, dict) else {}, PAGE)
    names = split_names(_query_names(following), QUERY)[0]
    report = ListReport(
        status=first.status,
        body=first.body_kind,
        content_type=media_type_word(first.headers.get("content-type")),
        seconds=max(answer.seconds for answer in (first, second) if answer),
        page_keys=page_keys,
        unknown_page_keys=unknown,
        rows=len(rows),
        unusable_rows=sum(not _is_usable(kind, row) for row in rows),
        next_page=_where_next_leads(following, ask.base_url),
        next_query=names,
        paging=_paging(following, names, page_keys),
        page_size=len(first.results) if following and first.results else None,
        second_page=_second_page(first, second),
        repeated_rows=len(_ids(first.results) & _ids(second.results)) if second else 0,
        order=order_of([sort_moment(kind, row) for row in rows]),
    )
    return report, rows


def _where_next_leads(following: Any, base_url: str) -> str:
    """Return the word for where `next` leads."""
    if following is None:
        return "none"
    if not isinstance(following, str):
        return "not a URL"
    base = urlsplit(base_url)
    try:
        target = urlsplit(urljoin(f"{base_url}/", following))
        host, port = target.hostname or "", target.port
    except ValueError:
        return "unreadable"
    if host != base.hostname or (port or _port_of(target)) != (base.port or _port_of(base)) or "@" in target.netloc:
        return "another host of Recall.ai" if host.endswith(".recall.ai") else "another host"
    if not target.path.startswith(f"{base.path}/"):
        return "another path"
    if "://" not in following:
        return "relative"
    return "same host" if target.scheme == base.scheme else "same host, other scheme"


def _second_page_url(following: Any, list_url: str) -> str | None:
    """Return the URL of the list with the query of `next`, as the client asks for it; None if it cannot be sent."""
    query = following.partition("#")[0].partition("?")[2] if isinstance(following, str) else ""
    try:
        httpx.URL(url := f"{list_url}?{query}")
    except (httpx.InvalidURL, ValueError):  # such as a lone surrogate
        return None
    return url if query else None


def _port_of(url: SplitResult) -> int:
    return 443 if url.scheme == "https" else 80


def _query_names(following: Any) -> list[str]:
    if not isinstance(following, str):
        return []
    try:
        return [name for name, _ in parse_qsl(urlsplit(following).query, keep_blank_values=True)]
    except ValueError:
        return []


def _paging(following: Any, query: Sequence[str], page_keys: Sequence[str]) -> str:
    if following is None:
        return "one page, counted" if "count" in page_keys else "one page"
    return next((style for name, style in _STYLES if name in query), "other")


def _second_page(first: ProbeAnswer, second: ProbeAnswer | None) -> str:
    if second is None:
        return "not asked"
    if not second.results:
        return "empty" if second.body_kind == "page" else "refused"
    return "the same rows" if _ids(second.results) == _ids(first.results) else "other rows"


def _ids(rows: Sequence[Any]) -> set[str]:
    return {row_id for row in rows if isinstance(row, dict) and (row_id := uuid_of(row.get("id")))}


def _is_usable(kind: str, row: Any) -> bool:
    """Whether the pipeline can use a row: it has a UUID, and a recording has its start."""
    if not isinstance(row, dict) or uuid_of(row.get("id")) is None:
        return False
    return kind != "recording" or moment_of(row.get("created_at")) is not None


def sort_moment(kind: str, row: Any) -> datetime | None:
    """Return the time that a list is filtered by: `join_at` of a bot, `created_at` of all else."""
    return moment_of(row.get("join_at" if kind == "bot" else "created_at")) if isinstance(row, dict) else None


def order_of(moments: Sequence[datetime | None]) -> str:
    """Return `newest`, `oldest` or `unsorted`; `unknown` with fewer than three different times."""
    present = [moment for moment in moments if moment]
    if len(set(present)) < _FEWEST_TO_ORDER:
        return "unknown"
    if all(before >= after for before, after in pairwise(present)):
        return "newest"
    return "oldest" if all(before <= after for before, after in pairwise(present)) else "unsorted"
