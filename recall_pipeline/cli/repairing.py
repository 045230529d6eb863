"""`verify --repair`: syncs that look again at what is wrong, where the UI sees them, and a second verification."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recall_pipeline.cli.running import run_days
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive
from recall_pipeline.verification import (
    Problem,
    Verified,
    explained,
    remove_redundant,
    to_look_at_again,
    verify_days,
)

if TYPE_CHECKING:
    from recall_pipeline.assets.session import Progress


@dataclass(frozen=True, slots=True)
class Repaired:
    """What is wrong after a repair, what no longer is, and what went wrong on the way."""

    verified: Verified
    mended: Sequence[Problem] = ()
    faults: Sequence[str] = ()


def repair(settings: Settings, archive: Archive, found: Verified, progress: "Progress") -> Repaired:
    """Fetch or normalize again what is lost or damaged, through the same steps as any sync, and prove it."""
    days, recordings = to_look_at_again(found)
    if not found.problems and not days:
        return Repaired(found)
    remove_redundant(archive, found)
    reachable = [day for day in days if day >= settings.start_date]
    faults = run_days(settings, reachable, recordings, progress).faults
    faults += [f"{day}: lies before RECALL_START_DATE, and was not synced" for day in days if day not in reachable]
    affected = sorted({*days, *(problem.day for problem in found.problems)})
    after = verify_days(archive, settings, affected, progress, recordings)
    left = {(problem.day, problem.what) for problem in after.problems}
    mended = [problem for problem in found.problems if (problem.day, problem.what) not in left]
    problems = list(explained(archive, after.problems))
    return Repaired(dataclasses.replace(found, problems=problems, corrupt=after.corrupt), mended, faults)
