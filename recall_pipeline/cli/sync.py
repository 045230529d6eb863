"""`sync`: bring days home on the Dagster instance, and say what came of it."""

import dataclasses
import json
from datetime import date

import click

from recall_pipeline.cli.arguments import DAY, RECALL_ID
from recall_pipeline.cli.day_selection import choose_days
from recall_pipeline.cli.main import FAILED
from recall_pipeline.cli.progress import progress_bars
from recall_pipeline.cli.run_sync import run_days
from recall_pipeline.cli.summary import failed_downloads, in_words, summarize
from recall_pipeline.settings import load_settings
from recall_pipeline.storage import open_archive


@click.command("sync")
@click.option("--from", "first", type=DAY, help="First day, included. Alone: up to today.")
@click.option("--to", "last", type=DAY, help="Last day, included. Alone: that day only.")
@click.option("--recording", "recording_id", type=RECALL_ID, help="Look at this one again, whatever its outcome.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line, the last of standard output.")
def sync_command(first: date | None, last: date | None, recording_id: str | None, as_json: bool) -> int:
    """Bring days of recordings home: list, download, prove, normalize, catalog.

    Days are UTC, and a recording belongs to the one in which it started. Without options: what the daily schedule
    would do, which is yesterday and every day of the lookback that is not finished with.

    Exit status: 0 all well, findings included; 1 a day's run failed or a download did, listed; 2 wrong usage or
    settings.
    """
    settings = load_settings()
    settings.required_api_key()
    archive = open_archive(settings)
    days = choose_days(settings, archive, first, last, recording_id)
    with progress_bars() as progress:
        done = run_days(settings, days, frozenset({recording_id} if recording_id else ()), progress)
    faults = done.faults + failed_downloads(archive, days)
    for line in faults:
        click.echo(line, err=True)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(summarize(archive, days, done.stats))))
    elif (synced := done.synced(days)) or not days:  # where every day failed, nothing is known to count
        click.echo(in_words(summarize(archive, synced, done.stats)))
    return FAILED if faults else 0
