"""`verify --repair`: syncs that look again at what is wrong, where the UI sees them, and a second verification."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from recall_pipeline.cli.run_sync import run_days
from recall_pipeline.progress import StepProgress
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive
from recall_pipeline.verification import (
    Problem,
    VerificationReport,
    absent,
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
    remove_redundant_files(archive, found)
    reachable = [day for day in days if day >= settings.start_date]
    faults = run_days(settings, reachable, recordings, progress).faults
    faults += [f"{day}: lies before RECALL_START_DATE, and was not synced" for day in days if day not in reachable]
    affected = sorted({*days, *(problem.day for problem in found.problems)})
    after = verify_days(archive, settings, affected, progress, recordings)
    after.problems = sorted([*absent(archive, affected), *after.problems], key=lambda problem: problem.day)
    left = {(problem.day, problem.what) for problem in after.problems}
    mended = [problem for problem in found.problems if (problem.day, problem.what) not in left]
    problems = list(with_explanations(archive, after.problems))
    held = sorted({*found.days, *(problem.day for problem in mended)})
    return Repaired(dataclasses.replace(found, days=held, problems=problems, corrupt=after.corrupt), mended, faults)
