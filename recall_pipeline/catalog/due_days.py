"""Due days: yesterday, and the days of the lookback that are open or incomplete."""

from datetime import date, datetime

from recall_pipeline.catalog.outcomes import SETTLED, Outcome
from recall_pipeline.catalog.rows import CATALOG
from recall_pipeline.days import ONE_DAY, days_between, end_of
from recall_pipeline.discovery import RECORDINGS
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive


def days_due(archive: Archive, settings: Settings, today: date) -> list[date]:
    """Return yesterday, and every day of the lookback with open rows or without a complete catalog since its end."""
    yesterday = today - ONE_DAY
    first = max(settings.start_date, today - settings.lookback)
    open_days = _days_with_open_rows(archive, first, yesterday)
    return [
        day
        for day in days_between(first, yesterday)
        if day == yesterday or day in open_days or not _is_cataloged_whole(archive, day)
    ]


def _days_with_open_rows(archive: Archive, first: date, last: date) -> set[date]:
    is_open = [str(outcome) for outcome in Outcome if outcome not in SETTLED]
    found = CATALOG.read_days(archive, first, last, columns=["day"], where=("outcome", is_open))
    return {day for day in found.column("day").to_pylist() if day is not None}


def _is_cataloged_whole(archive: Archive, day: date) -> bool:
    """Whether the catalog is built from a listing taken after the day's end, and from the latest listing."""
    listed, cataloged = ((table.facts(archive, day) or {}).get("listed_at") for table in (RECORDINGS, CATALOG))
    return cataloged is not None and listed == cataloged and datetime.fromisoformat(cataloged) >= end_of(day)
