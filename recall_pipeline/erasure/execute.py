"""Carry out a plan, or say what it would come to."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date

from recall_pipeline.audit import AuditRow
from recall_pipeline.erasure.day_erasure import erase_day
from recall_pipeline.erasure.files import sizes_by_recording
from recall_pipeline.erasure.plan import ErasurePlan
from recall_pipeline.storage import Archive


@dataclass(slots=True)
class ErasureSummary:
    """What was, or would be, forgotten."""

    days: list[date] = field(default_factory=list)
    recordings: int = 0
    bots: int = 0
    files: int = 0
    bytes: int = 0

    def add(self, rows: Iterable[AuditRow]) -> None:
        """Count the audit rows of a day."""
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
        let_go.add(erase_day(archive, day, ids, reason))
        let_go.days.append(day)
        progress(number, len(plan.days))
    return let_go
