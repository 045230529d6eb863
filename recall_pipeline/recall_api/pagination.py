"""Paginate a listing, by cursor or by page number (docs/design/recall-api.md, sections 4-6).

`next` is followed on the API's own host only, and each URL once. A listing that cannot be read to its end is an
error, never a shorter listing.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

import httpx

from recall_pipeline.errors import RecallProtocolError

Fetch = Callable[[str], Awaitable[Any]]


async def walk(fetch: Fetch, first_url: str, base_url: str) -> AsyncIterator[list[Any]]:
    """Yield the `results` of each page; raise RecallProtocolError if the listing cannot be read to its end."""
    seen: set[str] = set()
    url: str | None = first_url
    while url is not None:
        seen.add(url)
        results, url = await read_page(fetch, url, base_url)
        yield results
        if url in seen:
            raise RecallProtocolError(
                f"listing {_path(first_url)}: `next` leads in a circle, so the listing is incomplete: try again later"
            )


async def read_page(fetch: Fetch, url: str, base_url: str) -> tuple[list[Any], str | None]:
    """Return the `results` of one page, and the URL of the next page on the API's own host, or None."""
    results, following = _parsed_page(await fetch(url), url)
    return results, same_origin_url(following, url, base_url) if following else None


def _parsed_page(body: object, url: str) -> tuple[list[Any], str | None]:
    if not isinstance(body, dict) or not isinstance(body.get("results"), list) or "next" not in body:
        raise RecallProtocolError(f"listing {_path(url)}: the response lacks `results` or `next`: check RECALL_API_URL")
    following = body["next"]
    if following is not None and not isinstance(following, str):
        raise RecallProtocolError(f"listing {_path(url)}: `next` is neither a URL nor null: check RECALL_API_URL")
    return body["results"], following


def same_origin_url(following: str, url: str, base_url: str) -> str:
    """Return the URL of the next page on the API's own origin; raise RecallProtocolError for another host."""
    base = urlsplit(base_url)
    target = _split_same_origin(base, url, following)
    if target is None:
        raise RecallProtocolError(
            f"listing {_path(url)}: `next` points to another host, which must not get the key: check RECALL_API_URL"
        )
    # A proxy may have changed the scheme in `next`; the configured scheme protects the key.
    next_url = urlunsplit((base.scheme, base.netloc, target.path, target.query, ""))
    try:
        httpx.URL(next_url)
    except httpx.InvalidURL:
        raise RecallProtocolError(f"listing {_path(url)}: `next` is not a valid URL: check RECALL_API_URL") from None
    return next_url


def _split_same_origin(base: SplitResult, url: str, following: str) -> SplitResult | None:
    """Resolve `following` against the page `url` and split it; None if it is not below `base`."""
    default_port = 443 if base.scheme == "https" else 80
    try:
        target = urlsplit(urljoin(url, following))
        same_port = (target.port or default_port) == (base.port or default_port)
    except ValueError:
        return None
    same_host = same_port and target.hostname == base.hostname and "@" not in target.netloc
    return target if same_host and target.path.startswith(f"{base.path}/") else None


def _path(url: str) -> str:
    return urlsplit(url).path
