"""`release`: delete at Recall what is proven in the archive."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from datetime import date

import click
from rich.filesize import decimal

from recall_pipeline.cli.progress import progress_bars
from recall_pipeline.days import utc_now
from recall_pipeline.erasure import check_clock, read_inventory
from recall_pipeline.errors import UsageError
from recall_pipeline.recall_api import open_client
from recall_pipeline.settings import Settings, load_settings
from recall_pipeline.storage import Archive, open_archive
from recall_pipeline.upstream_deletion import Candidate, DeletionReport, candidates_on, days_older_than, delete_day


@click.command("release")
@click.option("--older-than-days", "days", type=click.IntRange(min=1), required=True, help="Days that ended before.")
@click.option("--dry-run", is_flag=True, help="Say what would be released at most, and delete nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def release_command(days: int, dry_run: bool, yes: bool) -> None:
    """Delete MP3s at Recall that are `ready` here, so that they are no longer stored, and billed, twice.

    Just before, each is held against what Recall lists now and read back from the archive; what differs in anything
    stays. What was deleted is written down under audit/. Only mixed-audio MP3s go: Recall's recordings, video and
    transcripts stay. It cannot be undone. Interrupted, the same command goes on where it stopped.

    Exit status: 0 all well, MP3s that had to stay included, listed; 1 a fault; 2 wrong usage or settings.
    """
    settings = load_settings()
    settings.required_api_key()
    archive = open_archive(settings)
    check_clock(archive, read_inventory(archive))
    found = {day: candidates_on(archive, day) for day in days_older_than(archive, days, utc_now())}
    wanted = {day: candidates for day, candidates in found.items() if candidates}
    if dry_run or not wanted:
        click.echo(f"Would release at most {_counted_words(wanted)}.")
        return
    _confirm_deletion(wanted, yes)
    released = DeletionReport()
    try:
        asyncio.run(_release(settings, archive, list(wanted), f"release --older-than-days {days}", released))
    finally:  # what was deleted before an error is reported too
        for line in released.kept:
            click.echo(line, err=True)
        click.echo(f"Released {released.mp3s} MP3s ({decimal(released.bytes)}); {len(released.kept)} had to stay.")


async def _release(
    settings: Settings, archive: Archive, days: Sequence[date], reason: str, released: DeletionReport
) -> None:
    with progress_bars() as progress:
        async with open_client(settings) as client:
            for day in days:
                await delete_day(client, archive, settings, day, reason, progress, released)


def _confirm_deletion(wanted: Mapping[date, Sequence[Candidate]], yes: bool) -> None:
    """Ask a person; a program has to say --yes."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here: look at it with --dry-run, then add --yes")
    click.confirm(f"Delete {_counted_words(wanted)} at Recall, for good?", abort=True, err=True)


def _counted_words(wanted: Mapping[date, Sequence[Candidate]]) -> str:
    mp3s = [one.mp3 for candidates in wanted.values() for one in candidates]
    return f"{len(mp3s)} MP3s ({decimal(sum(mp3.source_bytes or 0 for mp3 in mp3s))})"
