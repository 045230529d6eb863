"""`sync --dry-run`: what a sync of some days would fetch, without writing to the archive or to the Dagster home."""

import asyncio
import contextlib
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import click
from rich.filesize import decimal

from recall_pipeline.catalog import OUTCOME_LABELS
from recall_pipeline.cli.day_selection import choose_days
from recall_pipeline.cli.dry_run_day import DayPlanner, PlannedMp3
from recall_pipeline.cli.main import FAILED
from recall_pipeline.cli.summary import expired_lines
from recall_pipeline.errors import PipelineError
from recall_pipeline.recall_api import LEDGER, Listings, open_client
from recall_pipeline.settings import Settings, dagster_home
from recall_pipeline.storage import Archive

BYTES_PER_HOUR = 15_000_000
"""About the size of an hour of MP3 (docs/design/recall-api.md, section 6)."""
_SHOWN_EXPIRIES = 5


@dataclass(slots=True)
class DryRun:
    """What a sync would do: recordings by outcome, and the MP3s that it would fetch.

    `outcomes` are those of recordings of which nothing is to be fetched. `errors`: one line for each day that failed.
    """

    days: Sequence[date]
    bots: int = 0
    recordings: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    mp3s: list[PlannedMp3] = field(default_factory=list)
    api_requests: int = 0
    bots_expired: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def hours(self) -> float:
        """Recorded hours of the MP3s to fetch, as far as their lengths are known."""
        return sum(mp3.seconds or 0 for mp3 in self.mp3s) / 3600

    @property
    def estimated_bytes(self) -> int:
        """Estimated size of the MP3s to fetch, in bytes."""
        return round(self.hours * BYTES_PER_HOUR)

    def expiring(self) -> list[tuple[datetime, str]]:
        """Return the MP3s to fetch that Recall removes soonest: when, and the recording's id."""
        return sorted((mp3.expires_at, mp3.recording_id) for mp3 in self.mp3s if mp3.expires_at)[:_SHOWN_EXPIRIES]


def show_dry_run(
    settings: Settings,
    archive: Archive,
    span: tuple[date | None, date | None],
    recording_id: str | None,
    *,
    accept_vanished: bool,
    as_json: bool,
) -> int:
    """Print what a sync would fetch; return the exit status: 1 if a day cannot be planned.

    The arguments are those of `sync`. Raises UsageError and RecallError.
    """
    with _ledger() as ledger:
        days = choose_days(settings, archive, *span, recording_id, ledger)
        refetch = frozenset({recording_id} if recording_id else ())
        planner = DayPlanner(archive, settings, refetch, accept_vanished)
        planned = asyncio.run(_planned_days(planner, days, ledger))
    for line in planned.errors:
        click.echo(line, err=True)
    click.echo(json.dumps(_dry_run_json(planned)) if as_json else "\n".join(_dry_run_lines(planned)))
    return FAILED if planned.errors else 0


@contextlib.contextmanager
def _ledger() -> Iterator[Path]:
    """Give the file of the request budget: that of the Dagster home if it exists, else a temporary one.

    Requests must count for all processes of this host, but a dry run creates nothing.
    """
    shared = dagster_home() / LEDGER
    if shared.exists():
        yield shared
        return
    with tempfile.TemporaryDirectory(prefix="recall-dry-run-") as folder:
        yield Path(folder) / LEDGER


async def _planned_days(planner: DayPlanner, days: Sequence[date], ledger: Path) -> DryRun:
    planned, listings = DryRun(days), Listings(days)
    async with open_client(planner.settings, ledger=ledger) as client:
        for day in days:
            upstream = await listings.of(client, day)
            try:
                found = await planner.plan(day, upstream)
            except PipelineError as error:
                planned.errors.append(f"{day}: {error}")
                continue
            planned.bots += found.bots
            planned.recordings += found.recordings
            planned.outcomes += found.outcomes
            planned.mp3s += found.mp3s
            planned.bots_expired += found.bots_expired
            listings.release(day)
        planned.api_requests = client.requests
    return planned


def _dry_run_json(planned: DryRun) -> dict[str, object]:
    return {
        "days": [day.isoformat() for day in planned.days],
        "bots": planned.bots,
        "recordings": planned.recordings,
        "outcomes": dict(sorted(planned.outcomes.items())),
        "mp3s": len(planned.mp3s),
        "hours": round(planned.hours, 2),
        "estimated_bytes": planned.estimated_bytes,
        "unknown_lengths": sum(mp3.seconds is None for mp3 in planned.mp3s),
        "expiring_soonest": [
            {"recording_id": recording_id, "expires_at": at.isoformat()} for at, recording_id in planned.expiring()
        ],
        "api_requests": planned.api_requests,
        "bots_expired": planned.bots_expired,
    }


def _dry_run_lines(planned: DryRun) -> Iterator[str]:
    yield from expired_lines(planned.bots_expired)
    days = planned.days
    span = f"{days[0]} to {days[-1]}" if len(days) > 1 else "".join(map(str, days))
    counted = [f"{planned.outcomes[name]} {name}" for name in OUTCOME_LABELS if planned.outcomes[name]]
    counted.append(f"{len(planned.mp3s)} MP3s to fetch")
    yield f"{span or 'no days'}: {planned.recordings} recordings of {planned.bots} bots: {', '.join(counted)}."
    unknown = sum(mp3.seconds is None for mp3 in planned.mp3s)
    without = f" and {unknown} of unknown length" if unknown else ""
    yield (
        f"A sync would fetch {planned.hours:.1f} recorded hours{without}, about {decimal(planned.estimated_bytes)}, "
        f"with {planned.api_requests} requests to the API. Nothing was written."
    )
    for at, recording_id in planned.expiring():
        yield f"Recall removes recording {recording_id} at {at:%Y-%m-%d %H:%M} UTC."
