"""Select the days that a `sync` covers."""

import asyncio
from datetime import date
from pathlib import Path

from recall_pipeline.days import days_between, utc_now
from recall_pipeline.errors import UsageError
from recall_pipeline.recall_api import open_client
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, stream_days


def choose_days(
    settings: Settings,
    archive: Archive,
    first: date | None,
    last: date | None,
    recording_id: str | None,
    ledger: Path | None = None,
) -> list[date]:
    """Return the requested days, oldest first; without a request, the days that are due.

    `ledger` is the file of the request budget, if it is not that of the Dagster home.

    Raises UsageError for days outside the partitions, RecallError if the day of a recording cannot be looked up.
    """
    today = utc_now().date()
    if first or last:
        start, end = first or last or today, last or today
        days = _within_partitions(settings, start, end)
        return days if recording_id is None else _with_recording(archive, days, recording_id)
    if recording_id:
        day = _cataloged_day(archive, recording_id) or asyncio.run(_lookup_day(settings, recording_id, ledger))
        return _within_partitions(settings, day, day)
    from recall_pipeline.catalog import days_due

    return days_due(archive, settings, utc_now()).requested


def check_days(settings: Settings, first: date | None, last: date | None) -> None:
    """Raise UsageError for days that are not partitions, or are in the wrong order."""
    today = utc_now().date()
    if first and last and first > last:
        raise UsageError(f"--from {first} is after --to {last}: swap them")
    for day in (first, last):
        if day and day < settings.start_date:
            raise UsageError(f"{day} is before the first day partition: RECALL_START_DATE is {settings.start_date}")
        if day and day > today:
            raise UsageError(f"{day} is in the future: the last day partition is today, {today} UTC")


def _within_partitions(settings: Settings, first: date, last: date) -> list[date]:
    check_days(settings, first, last)
    return list(days_between(first, last))


def _with_recording(archive: Archive, days: list[date], recording_id: str) -> list[date]:
    day = _cataloged_day(archive, recording_id)
    if day is not None and day not in days:
        raise UsageError(f"recording {recording_id} is of {day}, which is outside --from and --to: omit both options")
    return days


def _cataloged_day(archive: Archive, recording_id: str) -> date | None:
    """Return the day whose catalog has the recording; None if no catalog that can be read has it."""
    from recall_pipeline.catalog import CATALOG

    where = "recording_id", [recording_id]
    for day, scanned in stream_days(archive, CATALOG, archive.days(CATALOG.name), "recording_id", where=where):
        if scanned.stored and scanned.stored.values["recording_id"]:
            return day
    return None


async def _lookup_day(settings: Settings, recording_id: str, ledger: Path | None) -> date:
    async with open_client(settings, ledger=ledger) as client:
        recording = await client.recording(recording_id)
    if recording is None:
        raise UsageError(
            f"recording {recording_id} is neither in the catalog nor at Recall.ai: check the id and the key"
        )
    return recording.day
