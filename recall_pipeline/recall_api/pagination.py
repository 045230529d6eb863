"""Paginate a listing, by cursor or by page number (docs/design/recall-api.md, sections 4-6).

Of `next` only the query is used, on the URL of the listing itself: a reverse proxy before the API may leave its inner
host or path in `next`, and the key must reach no other host. A listing that cannot be read to its end is an error,
never a shorter listing.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from recall_pipeline.errors import RecallProtocolError

Fetch = Callable[[str], Awaitable[Any]]


async def walk(fetch: Fetch, first_url: str) -> AsyncGenerator[tuple[list[Any], str | None], None]:
    """Yield the `results` of each page and the URL of the next one, which is requested while a page is processed.

    Raises RecallProtocolError if the listing cannot be read to its end.
    """
    seen = {_parameters(first_url)}
    page = asyncio.create_task(read_page(fetch, first_url))
    try:
        while True:
            results, next_url = await page
            is_circle = next_url is not None and _parameters(next_url) in seen
            if next_url is not None and not is_circle:
                seen.add(_parameters(next_url))
                page = asyncio.create_task(read_page(fetch, next_url))
                await asyncio.sleep(0)  # sends the request
            yield results, next_url
            if is_circle:
                raise _circle(first_url)
            if next_url is None:
                return
    finally:
        page.cancel()
        await asyncio.gather(page, return_exceptions=True)


async def read_page(fetch: Fetch, url: str) -> tuple[list[Any], str | None]:
    """Return the `results` of one page, and the URL of the next page, or None after the last one.

    Raises RecallProtocolError if the response is not a page, or if its next page is the page itself.
    """
    results, following = _parsed_page(await fetch(url), url)
    next_url = next_page_url(following, url) if following else None
    if next_url is not None and _parameters(next_url) == _parameters(url):
        raise _circle(url)
    return results, next_url


def _parsed_page(body: object, url: str) -> tuple[list[Any], str | None]:
    if not isinstance(body, dict) or not isinstance(body.get("results"), list) or "next" not in body:
        raise RecallProtocolError(f"listing {_path(url)}: the response lacks `results` or `next`: check RECALL_API_URL")
    following = body["next"]
    if following is not None and not isinstance(following, str):
        raise RecallProtocolError(f"listing {_path(url)}: `next` is neither a URL nor null: check RECALL_API_URL")
    return body["results"], following


def next_page_url(following: str, url: str) -> str:
    """Return the URL of the listing `url` with the query of `following`.

    Raises RecallProtocolError if `following` has no query, or one that cannot be sent.
    """
    query = following.partition("#")[0].partition("?")[2]
    next_url = f"{url.partition('?')[0]}?{query}"
    try:
        httpx.URL(next_url)
    except httpx.InvalidURL:
        raise RecallProtocolError(f"listing {_path(url)}: `next` is not a valid URL: check RECALL_API_URL") from None
    if not _parameters(next_url):
        raise RecallProtocolError(
            f"listing {_path(url)}: `next` has no query, so it names no page: check RECALL_API_URL and the proxy there"
        )
    return next_url


def _parameters(url: str) -> frozenset[tuple[str, str]]:
    """Return the parameters of a query, which identify a page in whatever order they are spelled."""
    return frozenset(parse_qsl(url.partition("?")[2], keep_blank_values=True))


def _circle(url: str) -> RecallProtocolError:
    return RecallProtocolError(
        f"listing {_path(url)}: `next` leads in a circle, so the listing is incomplete: try again later"
    )


def _path(url: str) -> str:
    return urlsplit(url).path
