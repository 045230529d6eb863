"""Which days want a sync: yesterday, and those of the lookback that are not finished with."""

from datetime import date, datetime

from recall_pipeline.catalog import CATALOG
from recall_pipeline.catalog.outcomes import SETTLED, Outcome
from recall_pipeline.days import ONE_DAY, days_between, end_of
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive


def days_due(archive: Archive, settings: Settings, today: date) -> list[date]:
    """Return yesterday, and every day of the lookback with rows to look at again or not listed whole since its end."""
    yesterday = today - ONE_DAY
    first = max(settings.start_date, today - settings.lookback)
    open_days = _days_with_open_rows(archive, first, yesterday)
    return [
        day
        for day in days_between(first, yesterday)
        if day == yesterday or day in open_days or not _listed_since_its_end(archive, day)
    ]


def _days_with_open_rows(archive: Archive, first: date, last: date) -> set[date]:
    is_open = [str(outcome) for outcome in Outcome if outcome not in SETTLED]
    found = CATALOG.read_days(archive, first, last, columns=["day"], where=("outcome", is_open))
    return {day for day in found.column("day").to_pylist() if day is not None}


def _listed_since_its_end(archive: Archive, day: date) -> bool:
    listed_at = (CATALOG.facts(archive, day) or {}).get("listed_at")
    return listed_at is not None and datetime.fromisoformat(listed_at) >= end_of(day)
