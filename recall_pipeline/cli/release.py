"""The command `release`: delete MP3s at Recall.ai that are verified in the archive."""

import asyncio
from collections.abc import Sequence
from datetime import date

import click
from rich.filesize import decimal

from recall_pipeline.cli.confirmation import confirm
from recall_pipeline.cli.main import FAILED
from recall_pipeline.cli.progress import progress_bars
from recall_pipeline.days import utc_now
from recall_pipeline.erasure import check_clock
from recall_pipeline.recall_api import open_client
from recall_pipeline.settings import Settings, load_settings
from recall_pipeline.storage import Archive, check_identity, open_archive
from recall_pipeline.upstream_deletion import (
    DeletionEstimate,
    DeletionReport,
    days_older_than,
    delete_day,
    estimate_deletion,
)


@click.command("release")
@click.option(
    "--older-than-days",
    "days",
    type=click.IntRange(min=1),
    required=True,
    help="Only days that ended more than N days ago.",
)
@click.option("--dry-run", is_flag=True, help="Show the most that would be deleted, and delete nothing.")
@click.option("--yes", is_flag=True, help="Skip confirmation.")
def release_command(days: int, dry_run: bool, yes: bool) -> int:
    """Delete MP3s at Recall.ai that are `ready` here, to stop paying for storage twice.

    First, each MP3 is compared with a fresh listing, and its files in the archive are read and verified again. An MP3
    with any difference is kept. Deletions are recorded under audit/. Only mixed-audio MP3s are deleted: recordings,
    video and transcripts at Recall.ai stay. This cannot be undone. If interrupted, run the same command again to
    complete it.

    Exit status: 0 success (also if MP3s were kept; they are listed on standard error); 1 an error, or a day with a
    table that cannot be read, which is listed; 2 wrong usage or settings.
    """
    settings = load_settings()
    settings.required_api_key()
    archive = open_archive(settings)
    check_identity(archive, settings)
    check_clock(archive)
    estimate = estimate_deletion(archive, days_older_than(archive, days, utc_now()))
    for day, fault in estimate.faults.items():
        click.echo(f"{day}: {fault}", err=True)
    if dry_run or not estimate.days:
        click.echo(f"Would delete at most {_count_text(estimate)}.")
        return FAILED if estimate.faults else 0
    confirm(f"Delete {_count_text(estimate)} at Recall.ai, permanently?", yes)
    report = DeletionReport()
    try:
        asyncio.run(_release(settings, archive, estimate.days, f"release --older-than-days {days}", report))
    finally:  # deletions before an error are reported too
        for line in report.kept:
            click.echo(line, err=True)
        click.echo(f"Released {report.mp3s} MP3s ({decimal(report.bytes)}); {len(report.kept)} kept.")
    return FAILED if estimate.faults else 0


async def _release(
    settings: Settings, archive: Archive, days: Sequence[date], reason: str, report: DeletionReport
) -> None:
    with progress_bars() as progress:
        async with open_client(settings) as client:
            for day in days:
                await delete_day(client, archive, settings, day, reason, progress, report)


def _count_text(estimate: DeletionEstimate) -> str:
    return f"{estimate.mp3s} MP3s ({decimal(estimate.bytes)})"
