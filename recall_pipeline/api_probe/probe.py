"""Probe a workspace: the requests in their order, at most 20, and the report of their answers."""

import asyncio
import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx

from recall_pipeline.api_probe.assumptions import check_assumptions
from recall_pipeline.api_probe.dialects import name_dialect
from recall_pipeline.api_probe.filters import FilterReport, try_created_at, try_join_at
from recall_pipeline.api_probe.links import LinkReport, describe_link, finished_mp3s
from recall_pipeline.api_probe.listings import ListReport, read_list
from recall_pipeline.api_probe.media import MediaReport, read_one_byte
from recall_pipeline.api_probe.objects import LookupReport, ask_for_missing, ask_without_slash, first_usable, look_up
from recall_pipeline.api_probe.report import ProbeReport
from recall_pipeline.api_probe.requests import ProbeAnswer, Requests, Stopwatch
from recall_pipeline.api_probe.shapes import Shapes
from recall_pipeline.api_probe.words import HEADERS, split_names
from recall_pipeline.days import ONE_DAY, start_of, utc_now
from recall_pipeline.download import UrlGuard, media_client
from recall_pipeline.recall_api import Budget, RecallClient, open_client
from recall_pipeline.settings import Settings

MOST_REQUESTS = 20
_KINDS = ("bot", "recording", "audio_mixed")


def probe_service(settings: Settings) -> ProbeReport:
    """Probe the workspace of the settings; raise SettingsError without a key. What fails is part of the report."""
    return asyncio.run(_probe(settings))


async def _probe(settings: Settings) -> ProbeReport:
    stopwatches: list[Stopwatch] = []

    def measured(budget: Budget) -> Stopwatch:
        stopwatches.append(Stopwatch(budget))
        return stopwatches[-1]

    async with (
        open_client(settings, limit=measured) as client,
        media_client(settings) as media,
    ):
        return await run_probe(client, media, settings, stopwatches[0])


async def run_probe(
    client: RecallClient, media: httpx.AsyncClient, settings: Settings, stopwatch: Stopwatch | None = None
) -> ProbeReport:
    """Probe with these clients; `media` carries no key. `stopwatch` knows when the last request was sent."""
    watch = stopwatch or Stopwatch(_Unlimited())
    ask = Requests(client, settings.base_url, MOST_REQUESTS, lambda: watch.started)
    probe = _Probe(ask, media, (start_of(settings.start_date), utc_now() + ONE_DAY))
    found = await probe.report(UrlGuard.of(settings))
    found = dataclasses.replace(found, dialect=name_dialect(found))
    return dataclasses.replace(found, assumptions=check_assumptions(found))


class _Unlimited:
    """A request budget without a limit, for clients that have one of their own."""

    async def take(self, endpoint: str, per_minute: int) -> None:
        """Grant the request."""


class _Probe:
    """The state of one probe: rows of the lists by kind, and the shapes of all that was answered."""

    def __init__(self, ask: Requests, media: httpx.AsyncClient, window: tuple[datetime, datetime]) -> None:
        self._ask = ask
        self._media = media
        self._window = window
        self._rows: dict[str, list[Any]] = {}
        self._shapes = Shapes()
        self._bots_take_times = True

    async def report(self, guard: UrlGuard) -> ProbeReport:
        lists = {kind: await self._list(kind) for kind in _KINDS}
        lookups, artifact = await self._lookups()
        link, media, media_headers = await self._link(artifact, guard)
        filters = await self._filters()
        cursor, unfiltered = await self._unfiltered_bots()
        missing = await ask_for_missing(self._ask)
        without_slash = await ask_without_slash(self._ask)
        names = {"api": [name for answer in self._ask.answers for name in answer.headers], "media": media_headers}
        headers = {host: split_names(found, HEADERS) for host, found in names.items()}
        return ProbeReport(
            stopped=self._ask.stopped,
            stopped_at=self._ask.stopped_at,
            requests=self._ask.sent,
            clock_seconds=_best_clock_difference(self._ask.answers),
            lists=lists,
            cursor_for_bots=cursor,
            unfiltered_bots=len(unfiltered),
            unfiltered_bots_without_join_at=sum(row.get("join_at") is None for row in unfiltered),
            filters=filters,
            lookups=lookups,
            missing_object=missing,
            without_slash=without_slash,
            fields=self._shapes.finished(),
            codes={name: dict(sorted(counts.items())) for name, counts in sorted(self._shapes.codes.items())},
            headers={host: known for host, (known, _) in headers.items()},
            unknown_headers={host: count for host, (_, count) in headers.items()},
            link=link,
            media=media,
        )

    async def _list(self, kind: str) -> ListReport:
        name = "join_at" if kind == "bot" else "created_at"
        texts = [f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in self._window]
        first = await self._ask.list(kind, {f"{name}_after": texts[0], f"{name}_before": texts[1]})
        if kind == "bot" and first and first.status == httpx.codes.BAD_REQUEST:
            self._bots_take_times = False
            days = [text[:10] for text in texts]
            first = await self._ask.list(kind, {f"{name}_after": days[0], f"{name}_before": days[1]})
        report, rows = await read_list(self._ask, kind, first)
        self._rows[kind] = rows
        self._shapes.add(kind, rows)
        return report

    async def _lookups(self) -> tuple[Mapping[str, LookupReport], tuple[Any, Any]]:
        """Look up one object of each kind; return the artifact too, as it is in its list and as it was looked up."""
        mp3 = next(finished_mp3s(self._rows["audio_mixed"]), None)
        chosen = {kind: first_usable(self._rows[kind]) for kind in ("bot", "recording")}
        chosen["audio_mixed"] = mp3 or first_usable(self._rows["audio_mixed"])
        reports, found = {}, {}
        for kind in reversed(_KINDS):
            reports[kind], found[kind] = await look_up(self._ask, kind, chosen[kind])
        return reports, (chosen["audio_mixed"], found["audio_mixed"])

    async def _link(self, artifact: tuple[Any, Any], guard: UrlGuard) -> tuple[LinkReport, MediaReport, list[str]]:
        report, url = describe_link(*artifact)
        if url is None or not self._ask.take():
            return report, MediaReport(), []
        return report, *(await read_one_byte(self._media, url, guard))

    async def _filters(self) -> Mapping[str, FilterReport]:
        join_at = await try_join_at(self._ask, self._rows["bot"], takes_times=self._bots_take_times)
        return {"join_at": join_at, "created_at": await try_created_at(self._ask, self._rows["recording"])}

    async def _unfiltered_bots(self) -> tuple[str, list[dict[str, Any]]]:
        """Return whether `use_cursor=true` pages the bots by cursor, and the rows of their list without a window."""
        answer = await self._ask.get(f"{self._ask.base_url}/bot/?{urlencode({'use_cursor': 'true'})}", "list bot")
        if answer is None or answer.body_kind != "page":
            return ("refused" if answer and answer.status == httpx.codes.BAD_REQUEST else "unknown"), []
        return _cursor_word(answer.body), [row for row in answer.results if isinstance(row, dict)]


def _cursor_word(page: Mapping[str, Any]) -> str:
    following = page["next"]
    if following is None:
        return "unknown" if "count" in page else "yes"
    return "yes" if isinstance(following, str) and "cursor=" in following.replace("use_cursor=", "") else "no"


def _best_clock_difference(answers: list[ProbeAnswer]) -> int | None:
    """Return the clock difference of the quickest answer that names a time."""
    timed = [answer for answer in answers if answer.clock_seconds is not None]
    return min(timed, key=lambda answer: answer.seconds).clock_seconds if timed else None
