"""The overview: a calendar of twelve months, and their totals. It never waits for more than a moment."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from recall_pipeline.browse.calendar import SIGNS, calendar_months, last_of_month, months_until
from recall_pipeline.browse.day_summary import DaySummary
from recall_pipeline.browse.pages import Pages
from recall_pipeline.browse.row_filter import CatalogFilter
from recall_pipeline.catalog import CATALOG, EXPIRES_SOON
from recall_pipeline.days import utc_now
from recall_pipeline.storage import Layout

_PATIENCE_SECONDS, _FILTER_PATIENCE_SECONDS = 0.2, 1.5
_DAYS_LISTED = 14


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of several days."""

    recordings: int
    seconds: float
    missing: int
    open: int
    outcomes: Mapping[str, int]
    findings: Mapping[str, int]
    platforms: Mapping[str, int]
    expiring: int

    @classmethod
    def of(cls, summaries: Iterable[DaySummary]) -> "Totals":
        """Return the sums."""
        days = list(summaries)
        return cls(
            recordings=sum(day.recordings for day in days),
            seconds=sum(day.seconds for day in days),
            missing=sum(day.missing for day in days),
            open=sum(day.open for day in days),
            outcomes=_sum(day.outcomes for day in days),
            findings=_sum(day.findings for day in days),
            platforms=_sum(day.platforms for day in days),
            expiring=sum(expiring_in(day) for day in days),
        )


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total.most_common())


def expiring_in(summary: DaySummary) -> int:
    """Return the number of rows whose media expire soon and are not archived."""
    now = utc_now()
    moments = map(datetime.fromisoformat, summary.expiries)
    return sum(now <= moment <= now + EXPIRES_SOON for moment in moments)


def catalog_versions(pages: Pages) -> dict[date, str]:
    """Return the version of each day's catalog, by one listing. Raises StorageError."""
    listed = pages.archive.versions_below(CATALOG.name).items()
    days = ((Layout.day_in(key.rpartition("/")[0]), key, version) for key, version in listed)
    return {day: version for day, key, version in days if day is not None and key == CATALOG.key(day)}


def overview(pages: Pages, request: Request) -> Response:
    """Answer with the overview. Raises StorageError."""
    selected, versions = CatalogFilter.from_query(request.query_params), catalog_versions(pages)
    if not versions:
        return pages.html("empty.html")
    held = (min(versions), max(max(versions), min(utc_now().date(), max(versions) + timedelta(days=31))))
    months = months_until(min(max(held[0], _month(request.query_params, held[1])), held[1]))
    shown = {day: each for day, each in versions.items() if months[0] <= day <= last_of_month(months[-1])}
    patience = _FILTER_PATIENCE_SECONDS if selected.is_set else _PATIENCE_SECONDS
    summaries = pages.summaries.of(shown, selected, patience)
    days = sorted(summaries, reverse=True)
    fixity = pages.fixity.of(_PATIENCE_SECONDS)
    return pages.html(
        "overview.html",
        selected=selected,
        months=list(calendar_months(months, held, versions, summaries)),
        span=(max(months[0], held[0]), min(last_of_month(months[-1]), held[1])),
        totals=Totals.of(summaries.values()),
        unread=len(shown) - len(summaries),
        signs=SIGNS,
        earlier=months_until(months[0] - timedelta(days=1))[-1] if months[0] > held[0] else None,
        later=_later(months[-1], held[1]),
        rows=[(day, summaries[day], fixity.get(day)) for day in days if summaries[day].rows or summaries[day].fault][
            :_DAYS_LISTED
        ],
        expiring=[(day, expiring_in(summaries[day])) for day in days if expiring_in(summaries[day])],
    )


def _month(query: QueryParams, last: date) -> date:
    """Return a day of the month that the address names, else `last`."""
    try:
        return last_of_month(date.fromisoformat(f"{query.get('until')}-01"))
    except ValueError:
        return last


def _later(shown: date, last: date) -> date | None:
    """Return the month that ends the next twelve; None if the last day of the archive is shown."""
    if last_of_month(shown) >= last:
        return None
    later = shown.replace(year=shown.year + 1)
    return min(later, last.replace(day=1))
