"""The command `sync`: run `sync_day` for some days on the Dagster instance, and print a summary."""

import dataclasses
import json
from datetime import date

import click

from recall_pipeline.cli.arguments import DAY, RECALL_ID
from recall_pipeline.cli.day_selection import choose_days
from recall_pipeline.cli.dry_run import show_dry_run
from recall_pipeline.cli.main import FAILED
from recall_pipeline.cli.progress import progress_bars
from recall_pipeline.cli.run_sync import run_days
from recall_pipeline.cli.summary import failed_downloads, summarize, summary_text
from recall_pipeline.settings import load_settings
from recall_pipeline.storage import check_identity, open_archive


@click.command("sync")
@click.option("--from", "first", type=DAY, help="First day, included. Without --to: up to today.")
@click.option("--to", "last", type=DAY, help="Last day, included. Without --from: this day only.")
@click.option("--recording", "recording_id", type=RECALL_ID, help="Fetch this recording again, whatever its outcome.")
@click.option("--dry-run", is_flag=True, help="Show what would be fetched; write nothing.")
@click.option("--accept-vanished", is_flag=True, help="Mark recordings as deleted although many are gone at once.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line, the last of standard output.")
def sync_command(
    first: date | None,
    last: date | None,
    recording_id: str | None,
    dry_run: bool,
    accept_vanished: bool,
    as_json: bool,
) -> int:
    """Archive the recordings of some days: list, download, verify, normalize, catalog.

    Days are UTC. A recording belongs to the day on which it was created. Without options, the command syncs the days
    that the daily schedule would: the previous day, every unsettled day in the lookback window, and older days with
    recordings that are not finished. After an outage it also syncs seven of the days that it missed.

    Exit status: 0 success (also with outcomes such as `corrupt`); 1 a day or a download failed (details on standard
    error); 2 wrong usage or settings.
    """
    settings = load_settings()
    settings.required_api_key()
    archive = open_archive(settings)
    check_identity(archive, settings)
    if dry_run:
        span = (first, last)
        return show_dry_run(settings, archive, span, recording_id, accept_vanished=accept_vanished, as_json=as_json)
    days = choose_days(settings, archive, first, last, recording_id)
    with progress_bars() as progress:
        refetch = frozenset({recording_id} if recording_id else ())
        done = run_days(settings, days, refetch, progress, accept_vanished=accept_vanished)
    error_lines = done.error_lines + failed_downloads(archive, days)
    for line in error_lines:
        click.echo(line, err=True)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(summarize(archive, days, done.stats))))
    elif (synced := done.synced(days)) or not days:  # if every day failed, there is nothing to count
        click.echo(summary_text(summarize(archive, synced, done.stats)))
    return FAILED if error_lines else 0
