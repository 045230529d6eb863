"""Summary of a sync, as an object for JSON and as text."""

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from rich.filesize import decimal

from recall_pipeline.catalog import CATALOG, OUTCOME_LABELS, CatalogRow, Outcome
from recall_pipeline.discovery import BOTS, RECORDINGS, expired_bots
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import Archive, Table

if TYPE_CHECKING:
    from recall_pipeline.defs import SyncStats

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class SyncSummary:
    """The object that `sync --json` prints (docs/design/interface.md, section 5)."""

    days: list[str]
    bots: int
    recordings: int
    downloaded: int
    reused: int
    bytes_downloaded: int
    normalized: int
    outcomes: dict[str, int]
    api_requests: int
    bots_expired: int


def summarize(archive: Archive, days: Sequence[date], stats: "SyncStats") -> SyncSummary:
    """Return what the archive contains for `days`, and what this sync did."""
    return SyncSummary(
        days=[day.isoformat() for day in days],
        bots=sum(len(_read(BOTS, archive, day)) for day in days),
        recordings=sum(len(_read(RECORDINGS, archive, day)) for day in days),
        downloaded=stats.downloaded,
        reused=stats.reused,
        bytes_downloaded=stats.bytes_downloaded,
        normalized=stats.normalized,
        outcomes=dict(sorted(Counter(row.outcome for row in _catalog_rows(archive, days)).items())),
        api_requests=stats.api_requests,
        bots_expired=sum(_count_expired(archive, day) for day in days),
    )


def failed_downloads(archive: Archive, days: Sequence[date]) -> list[str]:
    """Return one line per recording of `days` with the outcome `download_failed`."""
    return [
        f"recording {row.recording_id} of {row.created_at.date()}: {row.outcome_reason}"
        for row in _catalog_rows(archive, days)
        if row.outcome == Outcome.DOWNLOAD_FAILED
    ]


def summary_text(summary: SyncSummary) -> str:
    """Return the summary as two lines of text, after a line about expired bots if there are any."""
    span = f"{summary.days[0]} to {summary.days[-1]}" if len(summary.days) > 1 else "".join(summary.days)
    counted = (f"{summary.outcomes[outcome]} {outcome}" for outcome in OUTCOME_LABELS if outcome in summary.outcomes)
    outcomes = ", ".join(counted) or "no recordings"
    lost = "".join(f"{line}\n" for line in expired_lines(summary.bots_expired))
    return lost + (
        f"{span or 'no days'}: {summary.recordings} recordings of {summary.bots} bots: {outcomes}.\n"
        f"Downloaded {summary.downloaded} ({decimal(summary.bytes_downloaded)}), already archived {summary.reused}, "
        f"normalized {summary.normalized}, {summary.api_requests} requests to the API."
    )


def expired_lines(bots_expired: int) -> Iterator[str]:
    """Yield the line about expired bots, if there are any."""
    if bots_expired:
        yield f"Bots whose recordings Recall had removed before any sync: {bots_expired}."


def _count_expired(archive: Archive, day: date) -> int:
    with contextlib.suppress(StorageError):  # the failed run of the day reports it
        return len(expired_bots(RECORDINGS.facts(archive, day)))
    return 0


def _catalog_rows(archive: Archive, days: Sequence[date]) -> list[CatalogRow]:
    return [row for day in days for row in _read(CATALOG, archive, day)]


def _read(table: Table[Row], archive: Archive, day: date) -> list[Row]:
    """Return the rows of a day; an unreadable table has none, and the failed run of its day reports it."""
    try:
        return table.read(archive, day) or []
    except StorageError:
        return []
