"""Read a listing to its end, in either paging style (recall_api.md sections 4-6).

`next` is followed wherever it leads on the API's own host, each address once. A listing that cannot be read to its
end is an error, never a shorter listing.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from recall_pipeline.errors import RecallProtocolError

Fetch = Callable[[str], Awaitable[Any]]


async def walk(fetch: Fetch, first_url: str, base_url: str) -> AsyncIterator[list[Any]]:
    """Yield the `results` of each page; raise RecallProtocolError when the listing cannot be followed to its end."""
    seen: set[str] = set()
    url: str | None = first_url
    while url is not None:
        seen.add(url)
        results, following = _page(await fetch(url), first_url)
        yield results
        url = _own_address(following, url, base_url) if following else None
        if url in seen:
            raise RecallProtocolError(
                f"listing {_path(first_url)}: `next` leads in a circle, so the listing is incomplete"
            )


def _page(body: object, url: str) -> tuple[list[Any], str | None]:
    if not isinstance(body, dict) or not isinstance(body.get("results"), list) or "next" not in body:
        raise RecallProtocolError(f"listing {_path(url)}: an answer without `results` and `next`: check RECALL_API_URL")
    following = body["next"]
    if following is not None and not isinstance(following, str):
        raise RecallProtocolError(f"listing {_path(url)}: `next` is neither an address nor null")
    return body["results"], following


def _own_address(following: str, url: str, base_url: str) -> str:
    """Return the next page's URL on the API's own origin; refuse any other host with the key at hand."""
    base, target = urlsplit(base_url), urlsplit(urljoin(url, following))
    same_host = (target.hostname, target.port) == (base.hostname, base.port)
    if not same_host or target.username or not target.path.startswith(f"{base.path}/"):
        raise RecallProtocolError(f"listing {_path(url)}: `next` points to another host, which never gets the key")
    # A proxy may have lost the scheme; ours is the one that protects the key.
    return urlunsplit((base.scheme, base.netloc, target.path, target.query, ""))


def _path(url: str) -> str:
    return urlsplit(url).path
