"""`verify --repair`: remove erased data and redundant orphans, sync the affected recordings, verify a second time."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from recall_pipeline.cli.run_sync import run_days
from recall_pipeline.erasure import finish_erasures
from recall_pipeline.errors import StorageError
from recall_pipeline.progress import StepProgress
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive
from recall_pipeline.verification import (
    Kind,
    Problem,
    VerificationReport,
    absent,
    days_to_sync_again,
    elsewhere,
    remove_redundant_files,
    verify_days,
    with_explanations,
)


@dataclass(frozen=True, slots=True)
class RepairReport:
    """The report of the last verification, the repaired problems, and a line for each error of the repair."""

    report: VerificationReport
    repaired: Sequence[Problem] = ()
    error_lines: Sequence[str] = ()


def repair(settings: Settings, archive: Archive, found: VerificationReport, progress: StepProgress) -> RepairReport:
    """Repair what can be repaired, and verify the affected days again.

    In this order: remove stored data of erased recordings, remove redundant orphans, run `sync_day`.
    Raises StorageError if the archive cannot be listed, KeyboardInterrupt if interrupted.
    """
    days, recordings = days_to_sync_again(found)
    if not found.problems and not days:
        return RepairReport(found)
    error_lines = _erase_again(archive, found)
    remove_redundant_files(archive, found)
    reachable = [day for day in days if day >= settings.start_date]
    if reachable:  # otherwise Dagster is not needed
        error_lines += run_days(settings, reachable, recordings, progress).error_lines
    error_lines += [f"{day}: is before RECALL_START_DATE, and was not synced" for day in days if day not in reachable]
    affected = sorted({*days, *(problem.day for problem in found.problems)})
    after = verify_days(archive, settings, affected, progress, recordings)
    removed = remove_redundant_files(archive, after)  # by a catalog that was rebuilt meanwhile
    after.problems = [problem for problem in after.problems if problem not in removed]
    after.problems = sorted(
        [*absent(archive, affected, settings.start_date), *elsewhere(archive, affected), *after.problems],
        key=lambda problem: problem.day,
    )
    left = {(problem.day, problem.subject) for problem in after.problems}
    repaired = [problem for problem in found.problems if (problem.day, problem.subject) not in left]
    problems = list(with_explanations(archive, after.problems))
    stored = sorted({*found.days, *(problem.day for problem in repaired)})
    report = dataclasses.replace(found, days=stored, problems=problems, corrupt=after.corrupt)
    return RepairReport(report, repaired, error_lines)


def _erase_again(archive: Archive, found: VerificationReport) -> list[str]:
    """Remove stored data of erased recordings and bots, as `forget` does; return a line for each day with an error."""
    error_lines = []
    for day in sorted({problem.day for problem in found.problems if problem.kind is Kind.ERASED}):
        try:
            finish_erasures(archive, day)
        except StorageError as error:
            error_lines.append(f"{day}: {error}")
    return error_lines
