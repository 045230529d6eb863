"""The Recall.ai client: one method per request, each returns records."""

import contextlib
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx

from recall_pipeline.coordination import connect
from recall_pipeline.days import utc_now
from recall_pipeline.errors import RecallNotFound, RecallProtocolError, RecallRefused
from recall_pipeline.http import async_client
from recall_pipeline.recall_api.api_requests import ApiRequests
from recall_pipeline.recall_api.list_windows import (
    RECORDS,
    AnyListed,
    Kind,
    Window,
    date_bounds,
    refuses_times,
    time_bounds,
)
from recall_pipeline.recall_api.listed_pages import CollectedPages, ListedPages
from recall_pipeline.recall_api.page_contract import check_page, fault_of_row
from recall_pipeline.recall_api.pagination import next_page_url, read_page, walk
from recall_pipeline.recall_api.rate_limit import Budget, RequestBudget, WindowBudget
from recall_pipeline.recall_api.records import AudioMixed, Bot, Identified, Recording, read_record
from recall_pipeline.recall_api.responses import RetryableError, json_from_response, retry_after_seconds
from recall_pipeline.recall_api.retry import RetryPolicy
from recall_pipeline.recall_api.shared_budget import SharedBudget
from recall_pipeline.recall_api.unknowns import unknown_in
from recall_pipeline.settings import Settings, dagster_home

LEDGER = "recall_budget.sqlite"
"""Name of the file of the request budget, in the Dagster home."""
_TIMEOUT = httpx.Timeout(connect=10, read=60, write=30, pool=None)
_MAX_LISTING_ATTEMPTS = 3
_MAX_PAGES_WITHOUT_NEW_ROWS = 100  # else a cursor that never ends would be followed forever
R = TypeVar("R", bound=Identified)
T = TypeVar("T")


class RecallClient:
    """Client for one workspace. Its methods raise the subclasses of RecallError."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        settings: Settings,
        budget: Budget,
        retry_policy: RetryPolicy | None = None,
    ) -> None:
        self._api = ApiRequests(http, settings, budget, retry_policy)
        self._base_url = settings.base_url
        self._rejected: dict[str, str] = {}
        self._unknown_in_lookups: dict[tuple[str, str], tuple[date, frozenset[str]]] = {}

    @property
    def requests(self) -> int:
        """The number of requests sent."""
        return self._api.count

    @property
    def workspace(self) -> str:
        """Name of the workspace, without the key."""
        return self._api.workspace

    @property
    def rejected(self) -> list[str]:
        """Position and fault of each row that was not usable, without its values."""
        return list(self._rejected.values())

    def unknowns_looked_up(self, day: date) -> Mapping[str, int]:
        """Return what lookups of objects of `day` showed that this version does not know, with numbers of objects."""
        return Counter(name for its_day, names in self._unknown_in_lookups.values() if its_day == day for name in names)

    async def bots(self, window: Window, **filters: str) -> dict[str, Bot]:
        """List the bots whose `join_at` is in the window [from, to), by id.

        The server may round the window to days (docs/design/recall-api.md, section 4).
        """
        return await self._list_window("bot", window, filters)

    async def recordings(self, window: Window, **filters: str) -> dict[str, Recording]:
        """List the recordings created in the window, by id (docs/design/recall-api.md, section 5)."""
        return await self._list_window("recording", window, filters)

    async def audio_mixed(self, window: Window, **filters: str) -> dict[str, AudioMixed]:
        """List the mixed-audio artifacts created in the window, by id.

        Each has a new download URL (docs/design/recall-api.md, section 6).
        """
        return await self._list_window("audio_mixed", window, filters)

    async def audio_mixed_of(self, recording_id: str) -> dict[str, AudioMixed]:
        """List the mixed-audio artifacts of one recording, by id. A filter that is ignored adds none of others."""
        listed: dict[str, AudioMixed] = await self._list("audio_mixed", {"recording_id": recording_id})
        of_others = {audio.id for audio in listed.values() if audio.recording and audio.recording.id != recording_id}
        return {audio_id: audio for audio_id, audio in listed.items() if audio_id not in of_others}

    async def bot(self, bot_id: str) -> Bot | None:
        """Look up a bot; None if it does not exist."""
        return await self._one("bot", Bot, bot_id)

    async def recording(self, recording_id: str) -> Recording | None:
        """Look up a recording; None if it does not exist."""
        return await self._one("recording", Recording, recording_id)

    async def audio_mixed_by_id(self, audio_id: str) -> AudioMixed | None:
        """Look up an artifact, with a new download URL; None if it does not exist."""
        return await self._one("audio_mixed", AudioMixed, audio_id)

    async def delete_audio_mixed(self, audio_id: str) -> None:
        """Delete an artifact permanently, if it exists (docs/design/recall-api.md, section 6)."""
        url = f"{self._base_url}/audio_mixed/{uuid.UUID(audio_id)}/"
        with contextlib.suppress(RecallNotFound):
            await self._api.delete(url, "delete audio_mixed")

    async def ping(self) -> None:
        """Check the key and the connection with one cheap request; raise RecallError if it fails."""
        now = utc_now()
        await self.page("bot", (now, now), None)

    async def create_bot(self, body: Mapping[str, Any]) -> tuple[Bot | None, float | None]:
        """Create a bot with a single request, without retries (docs/design/recall-api.md, section 3).

        Returns (bot, None), or (None, seconds to wait) if the ad-hoc pool is empty. Each call sends a new idempotency
        key, as Recall requires after 507. The request counts under the budget of list requests.
        """
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        try:
            url = f"{self._base_url}/bot/"
            response = await self._api.send("POST", url, "create bot", json=dict(body), headers=headers)
            if response.status_code == httpx.codes.INSUFFICIENT_STORAGE:
                return None, retry_after_seconds(response) or 30.0
            created = json_from_response(response, "create bot")
        except RetryableError as error:  # a repeated POST could create a second bot
            raise error.error from None
        bot = read_record(Bot, created)
        if bot is None:
            raise RecallProtocolError(
                "create bot: the response contains no bot: check Recall's dashboard before you try again"
            )
        return bot, None

    async def page(self, kind: Kind, window: Window, following: str | None) -> tuple[list[AnyListed], str | None]:
        """Read one page of a listing: the page at URL `following`, or the first page of the window if that is None.

        Returns its records and the URL of the next page, or None after the last one.
        """
        base = f"{self._base_url}/{kind}/?"
        if following is not None:  # a stored one may be of the host that RECALL_API_URL named before
            rows, after = await self._page(next_page_url(following, base), kind)
        else:
            rows, after = await _by_times_or_days(kind, window, lambda query: self._page(base + urlencode(query), kind))
        items = [item for row in rows if (item := read_record(RECORDS[kind], row)) is not None]
        check_page(kind, rows, len(items))
        return items, after

    async def exchange(self, url: str, endpoint: str) -> httpx.Response:
        """Send one GET to a URL below the base URL, without retries, and return its response whatever it is.

        Raises RecallUnreachable without a response, RecallProtocolError for another URL or a response too large.
        """
        if not url.startswith(f"{self._base_url}/"):
            raise RecallProtocolError(f"{endpoint}: the URL is not below {self._base_url}, so it must not get the key")
        try:
            return await self._api.send("GET", url, endpoint)
        except RetryableError as error:
            raise error.error from None

    async def _page(self, url: str, kind: Kind) -> tuple[list[Any], str | None]:
        return await read_page(lambda page_url: self._api.get(page_url, f"list {kind}"), url)

    async def walk_into(self, pages: ListedPages, kind: Kind, window: Window) -> None:
        """Walk a list and store its pages; continue where `pages` ends, if the API still accepts that.

        A filter that takes dates only gets the days that contain the window (docs/design/recall-api.md, section 4).
        """
        if pages.position(kind) == "":
            return
        if pages.position(kind):
            with contextlib.suppress(RecallRefused, RecallNotFound, RecallProtocolError):
                await self._walk(pages, kind, time_bounds(kind, window))
                return

        async def walk_from_start(query: Mapping[str, str]) -> None:
            pages.drop(kind)
            await self._walk(pages, kind, query)

        await _by_times_or_days(kind, window, walk_from_start)

    async def _list_window(self, kind: Kind, window: Window, filters: Mapping[str, str]) -> dict[str, Any]:
        return await _by_times_or_days(kind, window, lambda query: self._list(kind, {**query, **filters}))

    async def _list(self, kind: Kind, query: Mapping[str, str]) -> dict[str, Any]:
        collected = CollectedPages()
        await self._walk(collected, kind, query)
        return collected.records

    async def _walk(self, pages: ListedPages, kind: Kind, query: Mapping[str, str]) -> None:
        url = f"{self._base_url}/{kind}/?{urlencode(query)}"
        for attempt in range(1, _MAX_LISTING_ATTEMPTS + 1):
            pages.begin(kind)
            try:
                await self._read_all_pages(pages, kind, next_page_url(pages.position(kind) or url, url))
            except RecallNotFound:
                # Rows disappeared during the walk, so the last page is gone and other rows moved to earlier pages.
                if pages.position(kind) is None or attempt == _MAX_LISTING_ATTEMPTS:
                    raise
                pages.drop(kind)
            else:
                return

    async def _read_all_pages(self, pages: ListedPages, kind: Kind, url: str) -> None:
        async def fetch(page_url: str) -> Any:
            return await self._api.get(page_url, f"list {kind}")

        pages_without_new_rows = 0
        page = 0
        async with contextlib.aclosing(walk(fetch, url)) as walked:
            async for rows, next_url in walked:
                page += 1
                new_rows = pages.add_page(kind, self._read_rows(rows, kind, page), next_url)
                pages_without_new_rows = 0 if new_rows else pages_without_new_rows + 1
                if pages_without_new_rows == _MAX_PAGES_WITHOUT_NEW_ROWS:
                    raise RecallProtocolError(
                        f"list {kind}: {pages_without_new_rows} pages in a row without new rows: try again later"
                    )

    def _read_rows(self, rows: list[Any], kind: Kind, page: int) -> list[tuple[Any, frozenset[str]]]:
        """Return the usable records of a page, each with what is unknown in it."""
        items = [read_record(RECORDS[kind], row) for row in rows]
        check_page(kind, rows, sum(item is not None for item in items))
        for place, (row, item) in enumerate(zip(rows, items, strict=True), start=1):
            if item is None:
                row_id = row.get("id") if isinstance(row, dict) else None
                key = f"{kind} {row_id if isinstance(row_id, str) else (page, place)}"  # pages can repeat rows
                self._rejected.setdefault(key, f"{kind} {place} of page {page}: {_fault_of(kind, row)}")
        return [(item, unknown_in(kind, row)) for row, item in zip(rows, items, strict=True) if item is not None]

    async def _one(self, kind: str, record: type[R], object_id: str) -> R | None:
        what, canonical_id = f"get {kind}", str(uuid.UUID(object_id))
        try:
            body = await self._api.get(f"{self._base_url}/{kind}/{canonical_id}/", what)
        except RecallNotFound:
            return None
        item = read_record(record, body)
        if item is None or item.id != canonical_id:
            raise RecallProtocolError(f"{what} {object_id}: the response is not that {kind}: check RECALL_API_URL")
        if (day := item.day) and (unknown := unknown_in(kind, body)):
            self._unknown_in_lookups[kind, item.id] = day, unknown
        return item


@contextlib.asynccontextmanager
async def open_client(
    settings: Settings,
    retry_policy: RetryPolicy | None = None,
    limit: Callable[[WindowBudget], Budget] = lambda budget: budget,
    ledger: Path | None = None,
) -> AsyncIterator[RecallClient]:
    """Open a client for the workspace of the settings.

    Raises SettingsError without a key, and if a proxy or certificate variable of the environment is wrong.

    `limit` replaces the request budget, for example by a `BudgetShare`. `ledger` is the file of the request budget, if
    it is not that of the Dagster home; with RECALL_COORDINATION_URL it is not used.
    """
    headers = {
        "Authorization": f"Token {settings.required_api_key().get_secret_value()}",
        "Accept": "application/json",
    }
    async with async_client(settings.base_url, headers=headers, timeout=_TIMEOUT) as http:
        yield RecallClient(http, settings, limit(_budget(settings, ledger)), retry_policy)


def _fault_of(kind: Kind, row: Any) -> str:
    """Return what is wrong with a row that cannot be read: a required field, else the depth of another one."""
    required = {name: row.get(name) for name in ("id", "created_at")} if isinstance(row, dict) else row
    return "it is nested too deeply" if read_record(RECORDS[kind], required) else fault_of_row(kind, row)


def _budget(settings: Settings, ledger: Path | None) -> WindowBudget:
    if settings.coordination_url is not None:
        return SharedBudget(connect(settings.coordination_url))
    return RequestBudget(ledger or dagster_home() / LEDGER)


async def _by_times_or_days(kind: Kind, window: Window, request: Callable[[Mapping[str, str]], Awaitable[T]]) -> T:
    """Request a window by times; by the days that contain it where the filter takes dates only."""
    try:
        return await request(time_bounds(kind, window))
    except RecallRefused as refused:
        if not refuses_times(refused, kind):
            raise
    # The 2026 documentation describes the filter of bots as a date.
    return await request(date_bounds(kind, window))
