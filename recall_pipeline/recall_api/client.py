"""The Recall.ai API as methods that return records."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Any, Literal, TypeVar
from urllib.parse import urlencode, urlsplit

import httpx

from recall_pipeline.days import utc_now
from recall_pipeline.errors import (
    RecallNotFound,
    RecallProtocolError,
    RecallRefused,
    RecallUnreachable,
)
from recall_pipeline.recall_api.pagination import read_page, walk
from recall_pipeline.recall_api.rate_limit import Budget, RequestBudget
from recall_pipeline.recall_api.records import AudioMixed, Bot, Identified, Recording, read_record
from recall_pipeline.recall_api.responses import RetryableError, json_from_response, retry_after_seconds
from recall_pipeline.recall_api.retry import RetryPolicy, WaitReporter, send_with_retries
from recall_pipeline.redaction import silence_http_loggers
from recall_pipeline.settings import Settings, dagster_home, is_loopback

_TIMEOUT = httpx.Timeout(connect=10, read=60, write=30, pool=None)
_LONGEST_ANSWER_SECONDS = 300.0  # one that trickles never meets the time-out between two reads
_LARGEST_ANSWER_BYTES = 16 * 1024 * 1024  # 160 kB a row of a page of 100; read, it takes twenty times as much
_MOST_READINGS = 3
_MOST_BARREN_PAGES = 100  # a cursor that never ends
R = TypeVar("R", bound=Identified)
Window = tuple[datetime, datetime]
Kind = Literal["bot", "recording", "audio_mixed"]
AnyListed = Bot | Recording | AudioMixed
_LISTED: dict[Kind, tuple[str, type[AnyListed]]] = {
    "bot": ("join_at", Bot),
    "recording": ("created_at", Recording),
    "audio_mixed": ("created_at", AudioMixed),
}


class RecallClient:
    """One workspace of one region. `requests` counts what was really sent; `rejected` names unusable rows."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        settings: Settings,
        budget: Budget,
        retry_policy: RetryPolicy | None = None,
    ) -> None:
        self._http = http
        self._settings = settings
        self._budget = budget
        self._retry_policy = retry_policy or RetryPolicy()
        self._waits = WaitReporter()
        self._base_url = settings.base_url
        self.requests = 0
        self.rejected: list[str] = []

    async def bots(self, window: Window, **filters: str) -> dict[str, Bot]:
        """List bots that join within [from, to), by id.

        The server may round the window to days (docs/design/recall-api.md, section 4).
        """
        try:
            return await self._list("bot", Bot, {**_bounds("join_at", window), **filters})
        except RecallRefused as refused:
            if refused.status_code != httpx.codes.BAD_REQUEST:
                raise
            # The 2026 pages document the filter as a date.
            return await self._list("bot", Bot, {**_date_bounds("join_at", window), **filters})

    async def recordings(self, window: Window, **filters: str) -> dict[str, Recording]:
        """List recordings created within the window, by id (docs/design/recall-api.md, section 5)."""
        return await self._list("recording", Recording, {**_bounds("created_at", window), **filters})

    async def audio_mixed(self, window: Window, **filters: str) -> dict[str, AudioMixed]:
        """List mixed-audio artifacts created within the window, by id.

        Each has a fresh URL (docs/design/recall-api.md, section 6).
        """
        return await self._list("audio_mixed", AudioMixed, {**_bounds("created_at", window), **filters})

    async def audio_mixed_of(self, recording_id: str) -> dict[str, AudioMixed]:
        """List one recording's mixed-audio artifacts, by id."""
        return await self._list("audio_mixed", AudioMixed, {"recording_id": recording_id})

    async def bot(self, bot_id: str) -> Bot | None:
        """Read one bot; None when it is gone."""
        return await self._one("bot", Bot, bot_id)

    async def recording(self, recording_id: str) -> Recording | None:
        """Read one recording; None when it is gone."""
        return await self._one("recording", Recording, recording_id)

    async def audio_mixed_by_id(self, audio_id: str) -> AudioMixed | None:
        """Read one artifact, minting a fresh URL; None when it is gone."""
        return await self._one("audio_mixed", AudioMixed, audio_id)

    async def delete_audio_mixed(self, audio_id: str) -> None:
        """Delete one artifact for good (docs/design/recall-api.md, section 6); one that is gone already is no fault."""
        url = f"{self._base_url}/audio_mixed/{uuid.UUID(audio_id)}/"

        async def once() -> Any:
            return json_from_response(await self._send("DELETE", url, "delete audio_mixed"), "delete audio_mixed")

        with contextlib.suppress(RecallNotFound):
            await send_with_retries(once, self._retry_policy, self._waits)

    async def ping(self) -> None:
        """Ask for the cheapest listing; raise RecallError when it is refused."""
        now = utc_now()
        await self.page("bot", (now, now), None)

    async def create_bot(self, body: Mapping[str, Any]) -> tuple[Bot | None, float | None]:
        """Ask once for a bot (docs/design/recall-api.md, section 3).

        Return it, or (None, seconds to wait) when the ad-hoc pool is empty.

        Every call carries a new idempotency key, as Recall demands after 507.
        """
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        try:
            answer = await self._send("POST", f"{self._base_url}/bot/", "create bot", json=dict(body), headers=headers)
            if answer.status_code == httpx.codes.INSUFFICIENT_STORAGE:
                return None, retry_after_seconds(answer) or 30.0
            created = json_from_response(answer, "create bot")
        except RetryableError as unsafe:
            raise unsafe.error from None
        bot = read_record(Bot, created)
        if bot is None:
            raise RecallProtocolError(
                "create bot: the answer holds no bot: look in Recall's dashboard before trying again"
            )
        return bot, None

    async def page(self, kind: Kind, window: Window, following: str | None) -> tuple[list[AnyListed], str | None]:
        """Read one page of a listing, the first of the window or the `following` one; return it and what follows it."""
        field, record = _LISTED[kind]
        base = f"{self._base_url}/{kind}/?"
        try:
            rows, after = await self._page(following or base + urlencode(_bounds(field, window)), kind)
        except RecallRefused as refused:
            if following or refused.status_code != httpx.codes.BAD_REQUEST:
                raise
            rows, after = await self._page(base + urlencode(_date_bounds(field, window)), kind)
        return [read for row in rows if (read := read_record(record, row)) is not None], after

    async def _page(self, url: str, kind: Kind) -> tuple[list[Any], str | None]:
        return await read_page(lambda page_url: self._get(page_url, f"list {kind}"), url, self._base_url)

    async def _list(self, kind: str, record: type[R], query: Mapping[str, str]) -> dict[str, R]:
        url = f"{self._base_url}/{kind}/?{urlencode(query)}"
        for reading in range(1, _MOST_READINGS + 1):
            found: dict[str, R] = {}
            try:
                await self._read_whole(url, kind, record, found)
            except RecallNotFound:
                # Rows left while it was read, and its last page with them; others moved to pages read before.
                if not found or reading == _MOST_READINGS:
                    raise
            else:
                break
        return found

    async def _read_whole(self, url: str, kind: str, record: type[R], found: dict[str, R]) -> None:
        async def fetch(page_url: str) -> Any:
            return await self._get(page_url, f"list {kind}")

        barren_pages = 0
        async for rows in walk(fetch, url, self._base_url):
            known = len(found)
            self._read_rows(rows, kind, record, found)
            barren_pages = 0 if len(found) > known else barren_pages + 1
            if barren_pages == _MOST_BARREN_PAGES:
                raise RecallProtocolError(f"list {kind}: {barren_pages} pages in a row with nothing new, and no end")

    def _read_rows(self, rows: list[Any], kind: str, record: type[R], found: dict[str, R]) -> None:
        for row in rows:
            read = read_record(record, row)
            if read is not None:
                found[read.id] = read  # rows move between pages: the latest reading counts
            elif (label := f"{kind} {_label(row)}") not in self.rejected:
                self.rejected.append(label)

    async def _one(self, kind: str, record: type[R], object_id: str) -> R | None:
        what, canonical_id = f"get {kind}", str(uuid.UUID(object_id))
        try:
            body = await self._get(f"{self._base_url}/{kind}/{canonical_id}/", what)
        except RecallNotFound:
            return None
        read = read_record(record, body)
        if read is None or read.id != canonical_id:
            raise RecallProtocolError(f"{what} {object_id}: the answer is not that {kind}")
        return read

    async def _get(self, url: str, endpoint: str) -> Any:
        async def once() -> Any:
            return json_from_response(await self._send("GET", url, endpoint), endpoint)

        return await send_with_retries(once, self._retry_policy, self._waits)

    async def _send(self, method: str, url: str, endpoint: str, **extra: Any) -> httpx.Response:
        """Send one request within the budget, its answer bounded in size; no GET ever carries a body."""
        settings = self._settings
        per_minute = settings.list_rpm if endpoint.startswith(("list", "create")) else settings.object_rpm
        await self._budget.take(f"{urlsplit(url).netloc} {endpoint}", per_minute)
        self.requests += 1
        try:
            async with asyncio.timeout(_LONGEST_ANSWER_SECONDS), self._http.stream(method, url, **extra) as answer:
                return await _whole(answer, endpoint)
        except (httpx.HTTPError, TimeoutError) as fault:
            host = urlsplit(url).netloc
            reason = str(fault) or type(fault).__name__
            raise RetryableError(
                RecallUnreachable(f"{endpoint}: cannot reach {host} ({reason}): check the network and RECALL_API_URL")
            ) from None


async def _whole(answer: httpx.Response, endpoint: str) -> httpx.Response:
    body = bytearray()
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > _LARGEST_ANSWER_BYTES:
            raise RecallProtocolError(
                f"{endpoint}: an answer of over {_LARGEST_ANSWER_BYTES // 2**20} MiB: check RECALL_API_URL"
            )
    headers = [(k, v) for k, v in answer.headers.items() if k not in ("content-encoding", "content-length")]
    return httpx.Response(answer.status_code, headers=headers, content=bytes(body), request=answer.request)


@contextlib.asynccontextmanager
async def open_client(
    settings: Settings,
    retry_policy: RetryPolicy | None = None,
    limit: Callable[[RequestBudget], Budget] = lambda budget: budget,
) -> AsyncIterator[RecallClient]:
    """Open a client for the settings' workspace; raise SettingsError without a key. `limit` may narrow its budget."""
    silence_http_loggers()
    headers = {
        "Authorization": f"Token {settings.required_api_key().get_secret_value()}",
        "Accept": "application/json",
    }
    budget = RequestBudget(dagster_home() / "recall_budget.sqlite")
    # A proxy of the environment may tunnel https; on loopback it would read the key, and reach another machine's.
    proxied = not is_loopback(urlsplit(settings.base_url).hostname)
    async with httpx.AsyncClient(headers=headers, timeout=_TIMEOUT, follow_redirects=False, trust_env=proxied) as http:
        yield RecallClient(http, settings, limit(budget), retry_policy)


def _bounds(field: str, window: Window) -> dict[str, str]:
    after, before = (moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in window)
    return {f"{field}_after": after, f"{field}_before": before}


def _date_bounds(field: str, window: Window) -> dict[str, str]:
    return {
        f"{field}_after": window[0].date().isoformat(),
        f"{field}_before": window[1].date().isoformat(),
    }


def _label(row: object) -> str:
    """Name an unusable row for the log, without trusting anything in it."""
    value = row.get("id") if isinstance(row, dict) else None
    return repr(value)[:60] if value is not None else f"without an id ({type(row).__name__})"
