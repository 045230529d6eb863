"""Read a listing to its end, in either paging style (docs/design/recall-api.md, sections 4-6).

`next` is followed wherever it leads on the API's own host, each address once. A listing that cannot be read to its
end is an error, never a shorter listing.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

import httpx

from recall_pipeline.errors import RecallProtocolError

Fetch = Callable[[str], Awaitable[Any]]


async def walk(fetch: Fetch, first_url: str, base_url: str) -> AsyncIterator[list[Any]]:
    """Yield the `results` of each page; raise RecallProtocolError when the listing cannot be followed to its end."""
    seen: set[str] = set()
    url: str | None = first_url
    while url is not None:
        seen.add(url)
        results, url = await read_page(fetch, url, base_url)
        yield results
        if url in seen:
            raise RecallProtocolError(
                f"listing {_path(first_url)}: `next` leads in a circle, so the listing is incomplete"
            )


async def read_page(fetch: Fetch, url: str, base_url: str) -> tuple[list[Any], str | None]:
    """Return the `results` of one page and the address of the next, which is on the API's own host."""
    results, following = _page(await fetch(url), url)
    return results, _own_address(following, url, base_url) if following else None


def _page(body: object, url: str) -> tuple[list[Any], str | None]:
    if not isinstance(body, dict) or not isinstance(body.get("results"), list) or "next" not in body:
        raise RecallProtocolError(f"listing {_path(url)}: an answer without `results` and `next`: check RECALL_API_URL")
    following = body["next"]
    if following is not None and not isinstance(following, str):
        raise RecallProtocolError(f"listing {_path(url)}: `next` is neither an address nor null")
    return body["results"], following


def _own_address(following: str, url: str, base_url: str) -> str:
    """Return the next page's URL on the API's own origin; refuse any other host with the key at hand."""
    base = urlsplit(base_url)
    target = _within(base, url, following)
    if target is None:
        raise RecallProtocolError(f"listing {_path(url)}: `next` points to another host, which never gets the key")
    # A proxy may have lost the scheme; ours is the one that protects the key.
    address = urlunsplit((base.scheme, base.netloc, target.path, target.query, ""))
    try:
        httpx.URL(address)
    except httpx.InvalidURL:
        raise RecallProtocolError(f"listing {_path(url)}: `next` is no address that can be opened") from None
    return address


def _within(base: SplitResult, url: str, following: str) -> SplitResult | None:
    """Split `following`, as it is meant on the page `url`; None when it leads away from `base`."""
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
