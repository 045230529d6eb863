"""A listing is read to its end, or it is an error (docs/design/recall-api.md, sections 4 to 6)."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from recall_pipeline.errors import RecallProtocolError
from recall_pipeline.recall_api.pagination import walk

BASE = "https://api.recall.invalid/api/v1"
FIRST = f"{BASE}/bot/?join_at_after=a"
SECOND = f"{BASE}/bot/?join_at_after=a&page=2"


def pages(served: Mapping[str, Any], first: str = FIRST) -> list[list[Any]]:
    """Walk what is served by URL."""

    async def fetch(url: str) -> Any:
        return served[url]

    async def read() -> list[list[Any]]:
        return [rows async for rows, _ in walk(fetch, first)]

    return asyncio.run(read())


def page(*rows: Any, next: Any = None) -> dict[str, Any]:  # noqa: A002 -- the API's name
    return {"next": next, "previous": None, "results": list(rows)}


def test_every_page_is_read_until_next_is_null() -> None:
    third = f"{BASE}/bot/?cursor=xyz"
    served = {FIRST: page(1, 2, next=SECOND), SECOND: page(3, next=third), third: page()}
    assert pages(served) == [[1, 2], [3], []]


@pytest.mark.parametrize(
    "spelled",
    [
        "/api/v1/bot/?join_at_after=a&page=2",
        "?join_at_after=a&page=2",
        "//api.recall.invalid/api/v1/bot/?join_at_after=a&page=2",
        "http://api.recall.invalid/api/v1/bot/?join_at_after=a&page=2",
        "https://API.Recall.invalid/api/v1/bot/?join_at_after=a&page=2",
        "https://api.recall.invalid:443/api/v1/bot/?join_at_after=a&page=2",
        f"{SECOND}#top",
        "http://10.0.0.7:8000/internal/bot/?join_at_after=a&page=2",
        "https://us-east-1.recall.ai/api/v1/bot/?join_at_after=a&page=2",
        "https://api.recall.invalid/other/bot/?join_at_after=a&page=2",
        "https://api.recall.invalid@elsewhere.invalid/api/v1/bot/?join_at_after=a&page=2",
        "https://api.recall.invalid:port/api/v1/bot/?join_at_after=a&page=2",
        "https://[::1/api/v1/bot/?join_at_after=a&page=2",
    ],
)
def test_of_next_only_the_query_is_used_so_the_key_stays_on_the_own_host_and_path(spelled: str) -> None:
    assert pages({FIRST: page(1, next=spelled), SECOND: page(2)}) == [[1], [2]]


@pytest.mark.parametrize("following", ["https://10.0.0.7/api/v1/bot/", "?", "/page/2", "?&", "#?page=2", "nonsense"])
def test_a_next_without_a_query_is_an_error_of_the_listing(following: str) -> None:
    with pytest.raises(RecallProtocolError, match=r"/api/v1/bot/: `next` has no query, so it names no page"):
        pages({FIRST: page(1, next=following)})


@pytest.mark.parametrize("unreadable", ["/api/v1/bot/?page=2\x1f", f"/api/v1/bot/?cursor={'x' * 70_000}"])
def test_an_invalid_next_url_is_an_error_of_the_listing(unreadable: str) -> None:
    with pytest.raises(RecallProtocolError, match="`next` is not a valid URL"):
        pages({FIRST: page(1, next=unreadable)})


def test_a_next_that_is_the_page_itself_in_another_order_is_an_error() -> None:
    with pytest.raises(RecallProtocolError, match="leads in a circle"):
        pages({f"{FIRST}&page=1": page(1, next=f"{BASE}/bot/?page=1&join_at_after=a")}, f"{FIRST}&page=1")


@pytest.mark.parametrize("back_to", [FIRST, SECOND])
def test_a_next_that_leads_in_a_circle_is_an_error(back_to: str) -> None:
    with pytest.raises(RecallProtocolError, match="leads in a circle, so the listing is incomplete"):
        pages({FIRST: page(1, next=SECOND), SECOND: page(2, next=back_to)})


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        "page",
        {},
        {"results": []},
        {"next": None},
        {"next": None, "results": None},
        {"next": 2, "results": []},
    ],
)
def test_a_response_that_is_not_a_page_is_an_error(wrong: Any) -> None:
    with pytest.raises(RecallProtocolError, match="/api/v1/bot/"):
        pages({FIRST: page(1, next=SECOND), SECOND: wrong})
