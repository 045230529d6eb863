"""What a sync came to, for programs and for people."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from rich.filesize import decimal

from recall_pipeline.catalog import CATALOG, OUTCOME_LABELS, CatalogRow, Outcome
from recall_pipeline.discovery import BOTS, RECORDINGS
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import Archive, Table

if TYPE_CHECKING:
    from recall_pipeline.defs import SyncStats

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Summary:
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


def summarize(archive: Archive, days: Sequence[date], stats: "SyncStats") -> Summary:
    """Count what the archive holds for the days, and what was done for it just now."""
    return Summary(
        days=[day.isoformat() for day in days],
        bots=sum(len(_read(BOTS, archive, day)) for day in days),
        recordings=sum(len(_read(RECORDINGS, archive, day)) for day in days),
        downloaded=stats.downloaded,
        reused=stats.reused,
        bytes_downloaded=stats.bytes_downloaded,
        normalized=stats.normalized,
        outcomes=dict(sorted(Counter(row.outcome for row in _catalog_rows(archive, days)).items())),
        api_requests=stats.api_requests,
    )


def failed_downloads(archive: Archive, days: Sequence[date]) -> list[str]:
    """Return a line for each recording of the days that could not be brought home."""
    return [
        f"recording {row.recording_id} of {row.created_at.date()}: {row.outcome_reason}"
        for row in _catalog_rows(archive, days)
        if row.outcome == Outcome.DOWNLOAD_FAILED
    ]


def in_words(summary: Summary) -> str:
    """Return the summary for a person."""
    span = f"{summary.days[0]} to {summary.days[-1]}" if len(summary.days) > 1 else "".join(summary.days)
    counted = (f"{summary.outcomes[outcome]} {outcome}" for outcome in OUTCOME_LABELS if outcome in summary.outcomes)
    outcomes = ", ".join(counted) or "nothing recorded"
    return (
        f"{span or 'no day'}: {summary.recordings} recordings of {summary.bots} bots: {outcomes}.\n"
        f"Downloaded {summary.downloaded} ({decimal(summary.bytes_downloaded)}), already there {summary.reused}, "
        f"normalized {summary.normalized}, {summary.api_requests} requests to the API."
    )


def _catalog_rows(archive: Archive, days: Sequence[date]) -> list[CatalogRow]:
    return [row for day in days for row in _read(CATALOG, archive, day)]


def _read(table: Table[Row], archive: Archive, day: date) -> list[Row]:
    """Return the rows of a day; none of one that cannot be read, whose run has failed and says so."""
    try:
        return table.read(archive, day) or []
    except StorageError:
        return []
