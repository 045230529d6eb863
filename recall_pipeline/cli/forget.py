"""The command `forget`: erase recordings permanently."""

import dataclasses
import json
from datetime import date

import click
from rich.filesize import decimal

from recall_pipeline.cli.arguments import DAY, RECALL_ID
from recall_pipeline.cli.confirmation import confirm
from recall_pipeline.cli.main import FAILED
from recall_pipeline.cli.progress import progress_bars
from recall_pipeline.erasure import (
    ErasureSummary,
    check_limit,
    forget,
    plan_for_request,
    preview,
)
from recall_pipeline.settings import load_settings
from recall_pipeline.storage import open_archive


@click.command("forget")
@click.option("--recording", "recording_id", type=RECALL_ID, help="This recording.")
@click.option("--bot", "bot_id", type=RECALL_ID, help="This bot, and all its recordings.")
@click.option("--before", type=DAY, help="All recordings of the days before this one (UTC).")
@click.option("--reason", required=True, help="Reason, stored in the audit: do not include names.")
@click.option("--dry-run", is_flag=True, help="Show what would be erased, and change nothing.")
@click.option("--yes", is_flag=True, help="Skip confirmation and the retention limit.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line, the last of standard output.")
def forget_command(
    recording_id: str | None,
    bot_id: str | None,
    before: date | None,
    reason: str,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Erase recordings from the archive permanently: their files, and the personal data in the tables.

    Erased ids are recorded under audit/, and no later sync downloads them again. If interrupted, run the same command
    again to complete it. Nothing is deleted at Recall.ai.

    A day with a table that cannot be read is listed on standard error, and the others are erased. That day may have
    more of the request: restore its table and run the same command again.

    Exit status: 0 success; 1 an error, or a table that cannot be read; 2 wrong usage or settings.

    \b
    The object of --json:
      days                affected days, oldest first
      recordings, bots    number of erased recordings and bots
      files, bytes        number and total size of their files
      dry_run             true if nothing was changed
    """
    settings = load_settings()
    archive = open_archive(settings)
    plan = plan_for_request(archive, recording_id=recording_id, bot_id=bot_id, before=before)
    summary = preview(archive, plan)
    if plan.days and not dry_run:
        if not yes:
            check_limit(settings, plan)
        confirm(f"{_erasure_text(summary, 'Forget')}, permanently?", yes)
        with progress_bars() as progress:
            summary = forget(archive, plan, reason, lambda done, total: progress("days", done, total))
    verb = "Would forget" if dry_run else "Forgot"
    nothing = "no matching recordings are left" if before else f"{recording_id or bot_id} is already erased"
    for day, fault in sorted(summary.faults.items()):
        click.echo(f"{day}: {fault}", err=True)
    click.echo(_as_json(summary, dry_run) if as_json else f"{_erasure_text(summary, verb, nothing)}.")
    return FAILED if summary.faults else 0


def _erasure_text(summary: ErasureSummary, verb: str, nothing: str = "") -> str:
    if not summary.days:
        return f"{verb} nothing: {nothing}"
    span = " to ".join(dict.fromkeys((f"{summary.days[0]}", f"{summary.days[-1]}")))
    counted = f"{summary.recordings} recordings and {summary.bots} bots of {span}"
    return f"{verb} {counted}: {summary.files} files, {decimal(summary.bytes)}"


def _as_json(summary: ErasureSummary, dry_run: bool) -> str:
    counts = {name: value for name, value in dataclasses.asdict(summary).items() if name != "faults"}
    return json.dumps({**counts, "days": [day.isoformat() for day in summary.days], "dry_run": dry_run})
