"""`verify`: prove the archive against the catalog."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import click
from rich.filesize import decimal

from recall_pipeline.cli.arguments import DAY
from recall_pipeline.cli.day_selection import check_days
from recall_pipeline.cli.main import FAILED
from recall_pipeline.cli.progress import progress_bars
from recall_pipeline.cli.repair import Repaired, repair
from recall_pipeline.download import Unfinished, unfinished
from recall_pipeline.settings import load_settings
from recall_pipeline.storage import open_archive
from recall_pipeline.verification import Kind, stored_days, verify_days


@dataclass(frozen=True, slots=True)
class _Left:
    """What lies in the spool: no part of the archive, and no fault."""

    partial: Unfinished
    abandoned: Mapping[str, int]


@click.command("verify")
@click.option("--from", "first", type=DAY, help="First day, included.  [default: the first that is archived]")
@click.option("--to", "last", type=DAY, help="Last day, included.  [default: the last that is archived]")
@click.option("--repair", "repairing", is_flag=True, help="Fetch or normalize again what is lost or damaged.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line, the last of standard output.")
def verify_command(first: date | None, last: date | None, repairing: bool, as_json: bool) -> int:
    """Prove the archive against the catalog: every file is read back, hashed and decoded.

    Says what is missing, changed, undecodable or orphaned, which tables cannot be read, and where they contradict one
    another. Needs no key and writes nothing, unless --repair syncs the days concerned: it fetches again what is lost
    or corrupt, normalizes again from the stored MP3, and removes an orphan only if its very bytes are cataloged.

    \b
    The object of --json:
      days                      the days, oldest first
      files, bytes, proven      read back, and how many files of these are what the tables say
      missing, changed, undecodable, orphaned, unreadable, disagreeing, erased
                                how many of each are wrong (after --repair: still wrong)
      repaired                  how many are no longer wrong
      superseded                older versions of MP3s that Recall has replaced; they are kept
      corrupt                   recordings of which Recall serves no whole audio; --repair fetches them again
      partial_files, partial_bytes
                                downloads that go on at the next sync
      abandoned_files, abandoned_bytes
                                what killed processes left in the spool; the next sync removes it, or --repair
      problems                  [{day, kind, what, says, recording_id, repaired}, ..]

    Exit status: 0 everything is proven; 1 something is wrong and not repaired, listed; 2 wrong usage or settings.
    """
    settings = load_settings()
    check_days(settings, first, last)
    if repairing:
        settings.required_api_key()
    archive = open_archive(settings)
    with progress_bars() as progress:
        outcome = Repaired(verify_days(archive, settings, stored_days(archive, first, last), progress))
        if repairing:
            outcome = repair(settings, archive, outcome.verified, progress)
            archive.sweep()
    for line in (*outcome.faults, *(problem.line for problem in outcome.verified.problems)):
        click.echo(line, err=True)
    left = _Left(unfinished(archive.spool), archive.abandoned())
    click.echo(json.dumps(_as_object(outcome, left)) if as_json else _report_text(outcome, left))
    return FAILED if outcome.verified.problems or outcome.faults else 0


def _as_object(outcome: Repaired, left: _Left) -> dict[str, Any]:
    verified = outcome.verified
    told = [(problem, False) for problem in verified.problems] + [(problem, True) for problem in outcome.mended]
    return {
        "days": [day.isoformat() for day in verified.days],
        "files": verified.files,
        "bytes": verified.size_bytes,
        "proven": verified.proven,
        **{str(kind): verified.count(kind) for kind in Kind},
        "repaired": len(outcome.mended),
        "superseded": verified.superseded,
        "corrupt": len(verified.corrupt),
        "partial_files": left.partial.files,
        "partial_bytes": left.partial.size_bytes,
        "abandoned_files": len(left.abandoned),
        "abandoned_bytes": sum(left.abandoned.values()),
        "problems": [
            {
                "day": problem.day.isoformat(),
                "kind": str(problem.kind),
                "what": problem.what,
                "says": problem.says,
                "recording_id": problem.recording_id,
                "repaired": repaired,
            }
            for problem, repaired in told
        ],
    }


def _report_text(outcome: Repaired, left: _Left) -> str:
    verified = outcome.verified
    if not verified.days:
        return "The archive holds no such day."
    span = " to ".join(dict.fromkeys((f"{verified.days[0]}", f"{verified.days[-1]}")))
    wrong = [f"{count} {kind}" for kind in Kind if (count := verified.count(kind))]
    counted = ", ".join(
        [f"{verified.proven} of {verified.files} files ({decimal(verified.size_bytes)}) proven", *wrong]
    )
    lines = [f"{span}: {counted}."]
    if outcome.mended:
        lines.append(f"Repaired {len(outcome.mended)}.")
    if verified.superseded:
        lines.append(f"{verified.superseded} of the files are older versions, which are kept.")
    if verified.corrupt:
        lines.append(f"{len(verified.corrupt)} recordings are corrupt at Recall; --repair fetches them again.")
    if left.partial.files:
        lines.append(f"{left.partial.files} downloads ({decimal(left.partial.size_bytes)}) go on at the next sync.")
    if left.abandoned:
        lines.append(f"{len(left.abandoned)} files of killed processes lie in the spool; the next sync removes them.")
    return "\n".join(lines)
