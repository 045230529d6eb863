"""What the time filters of the lists compare: dates or date-times, and whether their bounds are included."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from recall_pipeline.api_probe.listings import sort_moment
from recall_pipeline.api_probe.requests import ProbeAnswer, Requests
from recall_pipeline.api_probe.shapes import uuid_of
from recall_pipeline.days import ONE_DAY, start_of

_SECOND = timedelta(seconds=1)
_LATEST = ONE_DAY - 3 * _SECOND
_TIME_FILTERS = {"bot": "join_at", "recording": "created_at"}


@dataclass(frozen=True, slots=True)
class FilterReport:
    """What one pair of filters compares; `lower` and `upper`: whether a row exactly at the bound is included."""

    compares: str = "unknown"
    lower: str = "unknown"
    upper: str = "unknown"


class TimeFilter:
    """One pair of filters, tried on one row that is known to exist."""

    def __init__(self, ask: Requests, kind: str, row_id: str, at: datetime) -> None:
        self._ask = ask
        self._kind = kind
        self._field = _TIME_FILTERS[kind]
        self._row_id = row_id
        self.at = at
        self.day = start_of(at.date())

    async def includes(self, after: datetime, before: datetime, *, as_dates: bool = False) -> str:
        """Return `included`, `excluded`, `refused` or `unknown` for the row and this window."""
        return _verdict(await self._within(after, before, as_dates=as_dates), self._row_id)

    async def exceeds(self, after: datetime, before: datetime, *, as_dates: bool = False) -> str:
        """Return `included` if the answer has any row that is outside of this window, else as `includes`."""
        answer = await self._within(after, before, as_dates=as_dates)
        moments = [moment for row in (answer.results if answer else []) if (moment := sort_moment(self._kind, row))]
        if any(not after <= moment <= before for moment in moments):
            return "included"
        return _verdict(answer, self._row_id)

    async def _within(self, after: datetime, before: datetime, *, as_dates: bool) -> ProbeAnswer | None:
        texts = [moment.date().isoformat() if as_dates else moment.isoformat() for moment in (after, before)]
        names = (f"{self._field}_after", f"{self._field}_before")
        query = {name: text.replace("+00:00", "Z") for name, text in zip(names, texts, strict=True)}
        return await self._ask.list(self._kind, query)

    async def by_time(self) -> FilterReport:
        """Try the bounds of a filter that compares date-times."""
        lower = await self.includes(self.at, self.at + _SECOND)
        upper = await self.includes(self.at - _SECOND, self.at)
        if lower == upper == "included" and await self._is_ignored(as_dates=False):
            return FilterReport("nothing")
        return FilterReport("date-times" if "refused" not in (lower, upper) else "unknown", lower, upper)

    async def by_date(self, compares: str, *, as_dates: bool) -> FilterReport:
        """Try the bounds of a filter that compares dates."""
        if await self._is_ignored(as_dates=as_dates):
            return FilterReport("nothing")
        lower = await self.includes(self.day, self.day + ONE_DAY, as_dates=as_dates)
        upper = await self.includes(self.day - ONE_DAY, self.day, as_dates=as_dates)
        return FilterReport(compares, lower, upper)

    async def _is_ignored(self, *, as_dates: bool) -> bool:
        """Whether a window of other days includes rows of this day too."""
        window = (self.day - 5 * ONE_DAY, self.day - 3 * ONE_DAY)
        return await self.exceeds(*window, as_dates=as_dates) == "included"


async def try_join_at(ask: Requests, rows: Iterable[Any], *, takes_times: bool) -> FilterReport:
    """Describe the filters `join_at_after` and `join_at_before` of the bot list."""
    found = _row_to_try("bot", rows)
    if found is None:
        return FilterReport() if takes_times else FilterReport("dates only")
    tried = TimeFilter(ask, "bot", *found)
    if not takes_times:
        return await tried.by_date("dates only", as_dates=True)
    match await tried.exceeds(tried.at + _SECOND, tried.day + ONE_DAY):
        case "included":
            return await tried.by_date("dates", as_dates=False)
        case "excluded":
            return await tried.by_time()
    return FilterReport()


async def try_created_at(ask: Requests, rows: Iterable[Any]) -> FilterReport:
    """Describe the filters `created_at_after` and `created_at_before` of the recording list."""
    found = _row_to_try("recording", rows)
    return await TimeFilter(ask, "recording", *found).by_time() if found else FilterReport()


def _row_to_try(kind: str, rows: Iterable[Any]) -> tuple[str, datetime] | None:
    """Return id and time of the row that is latest in its day, so that few rows follow it; no row at midnight."""
    timed = ((uuid_of(row.get("id")), sort_moment(kind, row)) for row in rows if isinstance(row, dict))
    usable = [(row_id, at) for row_id, at in timed if row_id and at and 2 * _SECOND <= _of_day(at) <= _LATEST]
    return max(usable, key=lambda row: _of_day(row[1]), default=None)


def _of_day(at: datetime) -> timedelta:
    return at - start_of(at.date())


def _verdict(answer: ProbeAnswer | None, row_id: str) -> str:
    if answer is None or answer.status is None:
        return "unknown"
    if answer.status == httpx.codes.BAD_REQUEST:
        return "refused"
    if answer.body_kind != "page":
        return "unknown"
    if any(isinstance(row, dict) and uuid_of(row.get("id")) == row_id for row in answer.results):
        return "included"
    return "excluded" if answer.body.get("next") is None else "unknown"
