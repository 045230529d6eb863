"""`forget`: remove recordings for good."""

import dataclasses
import json
import sys
from datetime import date

import click
from rich.filesize import decimal

from recall_pipeline.cli.arguments import DAY, RECALL_ID
from recall_pipeline.cli.progress import progress_bars
from recall_pipeline.erasure import ErasureSummary, check_limit, forget, plan_for_request, preview, read_inventory
from recall_pipeline.errors import UsageError
from recall_pipeline.settings import load_settings
from recall_pipeline.storage import open_archive


@click.command("forget")
@click.option("--recording", "recording_id", type=RECALL_ID, help="This recording.")
@click.option("--bot", "bot_id", type=RECALL_ID, help="This bot, and all its recordings.")
@click.option("--before", type=DAY, help="Every recording of the days before this one (UTC).")
@click.option("--reason", required=True, help="Why; kept in the audit, so no names.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask, and go beyond what may go by age at once.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line, the last of standard output.")
def forget_command(
    recording_id: str | None,
    bot_id: str | None,
    before: date | None,
    reason: str,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Remove recordings from the archive for good: their files, and what the tables say of people.

    What goes is written down under audit/, and never comes back with any later sync. Interrupted, the same command
    goes on where it stopped. Nothing is deleted at Recall.ai.

    \b
    The object of --json:
      days                days concerned, oldest first
      recordings, bots    how many are forgotten
      files, bytes        how many files that is, and how large
      dry_run             whether nothing was changed
    """
    settings = load_settings()
    archive = open_archive(settings)
    inventory = read_inventory(archive)
    plan = plan_for_request(inventory, recording_id=recording_id, bot_id=bot_id, before=before)
    let_go = preview(archive, plan)
    if plan.days and not dry_run:
        if before and not yes:
            check_limit(settings, inventory, plan)
        _confirm_erasure(let_go, yes)
        with progress_bars() as progress:
            let_go = forget(archive, plan, reason, lambda done, total: progress("days", done, total))
    verb = "Would forget" if dry_run else "Forgot"
    nothing = "there is nothing left to forget" if before else f"{recording_id or bot_id} is already erased"
    click.echo(_as_json(let_go, dry_run) if as_json else f"{_erasure_text(let_go, verb, nothing)}.")


def _confirm_erasure(let_go: ErasureSummary, yes: bool) -> None:
    """Ask a person; a program has to say --yes."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here: look at it with --dry-run, then add --yes")
    click.confirm(f"{_erasure_text(let_go, 'Forget')}, for good?", abort=True, err=True)


def _erasure_text(let_go: ErasureSummary, verb: str, nothing: str = "") -> str:
    if not let_go.days:
        return f"{verb} nothing: {nothing}"
    span = " to ".join(dict.fromkeys((f"{let_go.days[0]}", f"{let_go.days[-1]}")))
    counted = f"{let_go.recordings} recordings and {let_go.bots} bots of {span}"
    return f"{verb} {counted}: {let_go.files} files, {decimal(let_go.bytes)}"


def _as_json(let_go: ErasureSummary, dry_run: bool) -> str:
    days = [day.isoformat() for day in let_go.days]
    return json.dumps({**dataclasses.asdict(let_go), "days": days, "dry_run": dry_run})
