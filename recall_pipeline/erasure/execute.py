"""Carry out a plan, or say what it would come to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from recall_pipeline.audit import AuditRow
from recall_pipeline.erasure.day_erasure import erase_day
from recall_pipeline.erasure.files import sizes_by_recording
from recall_pipeline.erasure.plan import ErasurePlan, Ids
from recall_pipeline.erasure.returned import returned_on
from recall_pipeline.storage import Archive

_REASON = "stored again after its erasure"  # for the case that the audit loses its row meanwhile


@dataclass(slots=True)
class ErasureSummary:
    """What was, or would be, forgotten."""

    days: list[date] = field(default_factory=list)
    recordings: int = 0
    bots: int = 0
    files: int = 0
    bytes: int = 0

    def add(self, day: date, rows: Sequence[AuditRow]) -> None:
        """Count the audit rows of a day, and the day if there are any."""
        self.days += [day] if rows else []
        for row in rows:
            self.recordings += row.recording_id is not None
            self.bots += row.recording_id is None
            self.files += row.files
            self.bytes += row.bytes


def preview(archive: Archive, plan: ErasurePlan) -> ErasureSummary:
    """Say what forgetting would come to; nothing is changed. Raises StorageError."""
    let_go = ErasureSummary(list(plan.days), plan.recordings, plan.bots)
    for day, ids in plan.days.items():
        by_recording = sizes_by_recording(archive, day) if ids.recordings else {}
        sizes = [size for name in ids.recordings for size in by_recording.get(name, {}).values()]
        let_go.files += len(sizes)
        let_go.bytes += sum(sizes)
    return let_go


def forget(archive: Archive, plan: ErasurePlan, reason: str, progress: Callable[[int, int], None]) -> ErasureSummary:
    """Forget day by day, the oldest first. Raises StorageError; asking again goes on where that stopped."""
    let_go = ErasureSummary()
    for number, (day, ids) in enumerate(plan.days.items(), start=1):
        let_go.add(day, erase_day(archive, day, ids, reason))
        progress(number, len(plan.days))
    return let_go


def finish_erasures(archive: Archive, day: date) -> ErasureSummary:
    """Remove what is stored again of the recordings and bots that the day's audit lists, and what an erasure left.

    Returns what was removed by this call. Costs one read where the day has no audit. Takes the day's lock where there
    is something to remove: call it without that lock. Raises StorageError.
    """
    removed, ids = ErasureSummary(), returned_on(archive, day)
    if ids.recordings or ids.bots:
        removed.add(day, erase_day(archive, day, Ids(ids.recordings, ids.bots), _REASON))
    return removed
