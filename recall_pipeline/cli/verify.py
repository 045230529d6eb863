"""The command `verify`: verify the archive against the catalog, and repair it on request."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import click
from rich.filesize import decimal

from recall_pipeline.catalog import days_due
from recall_pipeline.cli.arguments import DAY
from recall_pipeline.cli.day_selection import check_days
from recall_pipeline.cli.due_report import due_as_object, due_lines
from recall_pipeline.cli.main import FAILED
from recall_pipeline.cli.progress import progress_bars
from recall_pipeline.cli.repair import RepairReport, repair
from recall_pipeline.cli.subset import SubsetType
from recall_pipeline.days import utc_now
from recall_pipeline.download import Unfinished, unfinished
from recall_pipeline.progress import StepProgress
from recall_pipeline.settings import Settings, load_settings
from recall_pipeline.storage import Archive
from recall_pipeline.verification import (
    CODES,
    Code,
    Kind,
    Subset,
    open_to_verify,
    verify_archive,
)

_EMPTY = {
    "day": None,
    "kind": str(Kind.MISSING),
    "code": str(Code.DAY_MISSING),
    "what": "every day",
    "recording_id": None,
    "repaired": False,
}
"""The problem of an archive without any day."""
_DAMAGED = {
    "day": None,
    "kind": str(Kind.UNREADABLE),
    "code": str(Code.ARCHIVE_UNREADABLE),
    "what": "archive.json",
    "recording_id": None,
    "repaired": False,
}
"""The problem of an archive whose identity is damaged."""
_STRANGE = "is not a day, and some readers read it as one: rename it, or move it out of the archive"


@dataclass(frozen=True, slots=True)
class _StagingContents:
    """Files in the staging folder. They are not part of the archive, and not a problem."""

    partial: Unfinished
    abandoned: Mapping[str, int]  # bytes of each file left by a killed process


@click.command("verify")
@click.option("--from", "first", type=DAY, help="First day, included.  [default: the first in the archive]")
@click.option("--to", "last", type=DAY, help="Last day, included.  [default: the last in the archive]")
@click.option(
    "--subset", type=SubsetType(), help="Read back this part of the files only, such as 3/52; tables are all checked."
)
@click.option(
    "--repair",
    "repairing",
    is_flag=True,
    help="Download or normalize damaged files again; remove redundant orphans and erased data.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line, the last of standard output.")
def verify_command(first: date | None, last: date | None, subset: Subset | None, repairing: bool, as_json: bool) -> int:
    """Verify the archive against the catalog: read, hash and decode every file.

    Reports missing, changed, undecodable and orphaned files, unreadable tables, and tables that contradict each other.
    A requested day that is not there, a day without tables between stored ones, a lost table, and an archive without
    any day are problems too. Without --repair it needs no key and writes nothing.

    --subset N/M reads back the N-th of M parts of the files: the parts 1/52 to 52/52 together are all of them. A file
    stays in its part. Run another part each night or week.

    --repair first removes data of erased recordings that was stored again. It removes each orphan whose bytes are
    also cataloged and verified under another name of the same audio. Then it syncs the affected recordings: it
    downloads lost and corrupt MP3s again, and normalizes again from the stored MP3. Such a sync, like every other,
    removes normalized files that the catalog no longer references.

    \b
    The object of --json:
      days                      verified days, oldest first
      files, bytes, proven      files and bytes read, and the number of files that match the tables
      missing, changed, undecodable, orphaned, unreadable, disagreeing, erased
                                number of problems of each kind (after --repair: those left)
      repaired                  number of repaired problems
      superseded                older versions of MP3s that were replaced at Recall.ai; they are kept
      corrupt                   recordings whose MP3 at Recall.ai is incomplete; --repair downloads them again
      partial_files, partial_bytes
                                unfinished downloads, which the next sync resumes
      abandoned_files, abandoned_bytes
                                files of killed processes in the staging folder; the next sync or --repair removes them
      problems                  [{day, kind, code, what, says, recording_id, repaired}, ..]; docs/damage.md
                                lists the codes with their cures
      due, waiting              days that a sync without options requests now, and in later nights
      never_requested           {from, to}: days before the archive's first one, from RECALL_START_DATE on, or null;
                                neither these nor due days are problems

    Exit status: 0 no problems left; 1 problems left (listed on standard error), or nothing to verify; 2 wrong usage or
    settings.
    """
    settings = load_settings()
    check_days(settings, first, last)
    if repairing:
        settings.required_api_key()
    archive, fault = open_to_verify(settings)
    with progress_bars() as progress:
        result = _verified(settings, archive, first, last, progress, subset)
        if fault is not None:
            result = dataclasses.replace(result, error_lines=(fault, *result.error_lines))
        if repairing and not result.error_lines:
            result = repair(settings, archive, result.report, progress)
            archive.remove_leftover_files()
    strange = [f"{Kind.ORPHANED}: {key} {_STRANGE}" for key in result.report.strange_names]
    for line in (*result.error_lines, *(problem.line for problem in result.report.problems), *strange):
        click.echo(line, err=True)
    staging = _StagingContents(unfinished(archive.staging_folder), archive.leftover_files())
    due = days_due(archive, settings, utc_now())
    if as_json:
        click.echo(json.dumps(_as_object(result, staging, fault) | due_as_object(due)))
    else:
        click.echo("\n".join([_report_text(result, staging), *map(_as_sentence, due_lines(due))]))
    return FAILED if result.report.problems or result.error_lines or strange else 0


def _verified(
    settings: Settings,
    archive: Archive,
    first: date | None,
    last: date | None,
    progress: StepProgress,
    subset: Subset | None,
) -> RepairReport:
    """Verify the requested days; an archive without a day is an error."""
    report = verify_archive(archive, settings, progress, first, last, subset)
    empty = f"{archive.location.root} holds no day: check RECALL_STORAGE_URL, or run recall-pipeline sync"
    return RepairReport(report, error_lines=() if report.days or report.problems else (empty,))


def _as_sentence(line: str) -> str:
    return f"{line[0].upper()}{line[1:]}."


def _as_object(result: RepairReport, staging: _StagingContents, fault: str | None) -> dict[str, Any]:
    report = result.report
    others = [line for line in result.error_lines if line != fault]
    empty = [] if report.days or report.problems else [_EMPTY | {"says": line} for line in others]
    damaged = [_DAMAGED | {"says": fault}] if fault is not None else []
    strange: dict[str, Any] = {
        "day": None,
        "kind": str(CODES[Code.NAME_UNEXPECTED].kind),
        "code": str(Code.NAME_UNEXPECTED),
    }
    strange |= {"says": _STRANGE, "recording_id": None, "repaired": False}
    problems = [(problem, False) for problem in report.problems] + [(problem, True) for problem in result.repaired]
    return {
        "days": [day.isoformat() for day in report.days],
        "files": report.files,
        "bytes": report.size_bytes,
        "proven": report.verified_files,
        **{
            str(kind): report.count(kind) + sum(each["kind"] == str(kind) for each in (*empty, *damaged))
            for kind in Kind
        },
        "repaired": len(result.repaired),
        "superseded": report.superseded,
        "corrupt": len(report.corrupt),
        "partial_files": staging.partial.files,
        "partial_bytes": staging.partial.size_bytes,
        "abandoned_files": len(staging.abandoned),
        "abandoned_bytes": sum(staging.abandoned.values()),
        "problems": [
            {
                "day": problem.day.isoformat(),
                "kind": str(problem.kind),
                "code": str(problem.code),
                "what": problem.subject,
                "says": problem.message,
                "recording_id": problem.recording_id,
                "repaired": repaired,
            }
            for problem, repaired in problems
        ]
        + empty
        + damaged
        + [strange | {"what": key} for key in report.strange_names],
    }


def _report_text(result: RepairReport, staging: _StagingContents) -> str:
    report = result.report
    if not report.days:
        return "The archive has no matching days."
    span = " to ".join(dict.fromkeys((f"{report.days[0]}", f"{report.days[-1]}")))
    found = [f"{count} {kind}" for kind in Kind if (count := report.count(kind))]
    counts = ", ".join(
        [f"{report.verified_files} of {report.files} files ({decimal(report.size_bytes)}) verified", *found]
    )
    lines = [f"{span}: {counts}."]
    if result.repaired:
        lines.append(f"Repaired {len(result.repaired)}.")
    if report.superseded:
        lines.append(f"{report.superseded} of the files are older versions, which are kept.")
    if report.corrupt:
        lines.append(f"{len(report.corrupt)} recordings are corrupt at Recall.ai; --repair downloads them again.")
    if staging.partial.files:
        size = decimal(staging.partial.size_bytes)
        lines.append(f"{staging.partial.files} downloads ({size}) are unfinished; the next sync resumes them.")
    if staging.abandoned:
        lines.append(
            f"{len(staging.abandoned)} files of killed processes are in the staging folder; the next sync removes them."
        )
    return "\n".join(lines)
