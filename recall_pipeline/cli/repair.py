"""`verify --repair`: syncs that look again at what is wrong, where the UI sees them, and a second verification."""

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
    days_to_sync_again,
    remove_redundant_files,
    verify_days,
    with_explanations,
)


@dataclass(frozen=True, slots=True)
class Repaired:
    """What is wrong after a repair, what no longer is, and what went wrong on the way."""

    verified: VerificationReport
    mended: Sequence[Problem] = ()
    faults: Sequence[str] = ()


def repair(settings: Settings, archive: Archive, found: VerificationReport, progress: StepProgress) -> Repaired:
    """Fetch or normalize again what is lost or damaged, through the same steps as any sync, and prove it."""
    days, recordings = days_to_sync_again(found)
    if not found.problems and not days:
        return Repaired(found)
    faults = _erase_again(archive, found)
    remove_redundant_files(archive, found)
    reachable = [day for day in days if day >= settings.start_date]
    faults += run_days(settings, reachable, recordings, progress).faults
    faults += [f"{day}: lies before RECALL_START_DATE, and was not synced" for day in days if day not in reachable]
    affected = sorted({*days, *(problem.day for problem in found.problems)})
    after = verify_days(archive, settings, affected, progress, recordings)
    left = {(problem.day, problem.what) for problem in after.problems}
    mended = [problem for problem in found.problems if (problem.day, problem.what) not in left]
    problems = list(with_explanations(archive, after.problems))
    return Repaired(dataclasses.replace(found, problems=problems, corrupt=after.corrupt), mended, faults)


def _erase_again(archive: Archive, found: VerificationReport) -> list[str]:
    """Remove what is stored of erased recordings and bots, as `forget` does; return why a day was left."""
    faults = []
    for day in sorted({problem.day for problem in found.problems if problem.kind is Kind.ERASED}):
        try:
            finish_erasures(archive, day)
        except StorageError as fault:
            faults.append(f"{day}: {fault}")
    return faults
