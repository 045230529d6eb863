"""Execute an erasure plan, or preview its result."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from recall_pipeline.audit import AuditRow
from recall_pipeline.erasure.day_erasure import erase_day
from recall_pipeline.erasure.files import sizes_by_recording
from recall_pipeline.erasure.plan import ErasureIds, ErasurePlan
from recall_pipeline.erasure.returned import returned_on
from recall_pipeline.errors import TableUnreadable
from recall_pipeline.fixity import remove_fixity_rows
from recall_pipeline.storage import Archive

_RECORDINGS_AT_ONCE = 10_000  # of which fixity rows are removed and ids are in memory
_REASON = "stored again after its erasure"  # used if the audit row is lost meanwhile


@dataclass(slots=True)
class ErasureSummary:
    """Counts of erased days, recordings, bots, files and bytes, or of those to erase.

    `faults`: why nothing, or not everything, is erased on a day, such as a table that cannot be read.
    """

    days: list[date] = field(default_factory=list)
    recordings: int = 0
    bots: int = 0
    files: int = 0
    bytes: int = 0
    faults: dict[date, str] = field(default_factory=dict)

    def raise_if_faulty(self) -> None:
        """Raise TableUnreadable with a line for each day that has a fault."""
        if self.faults:
            raise TableUnreadable("\n".join(f"{day}: {fault}" for day, fault in sorted(self.faults.items())))

    def add(self, day: date, rows: Sequence[AuditRow]) -> None:
        """Add the audit rows of a day to the counts, and the day if there are any."""
        self.days += [day] if rows else []
        for row in rows:
            self.recordings += row.recording_id is not None
            self.bots += row.recording_id is None
            self.files += row.files
            self.bytes += row.bytes


def preview(archive: Archive, plan: ErasurePlan) -> ErasureSummary:
    """Return what `forget` would erase; change nothing. Raises StorageError."""
    summary = ErasureSummary(list(plan.days), plan.recordings, plan.bots, faults=dict(plan.faults))
    for day, ids in plan.days.items():
        by_recording = sizes_by_recording(archive, day) if ids.recordings else {}
        sizes = [size for name in ids.recordings for size in by_recording.get(name, {}).values()]
        summary.files += len(sizes)
        summary.bytes += sum(sizes)
    return summary


def forget(archive: Archive, plan: ErasurePlan, reason: str, progress: Callable[[int, int], None]) -> ErasureSummary:
    """Erase day by day, oldest first; a second call completes an interrupted erasure.

    A day with a table that cannot be read costs itself only: it is in the `faults` of the summary. Raises StorageError
    if the storage fails.
    """
    summary = ErasureSummary(faults=dict(plan.faults))
    number = 0
    for group in _groups(plan):
        if len(group) > 1:  # of all at once, else each day would write the table again
            remove_fixity_rows(archive, {name for ids in group.values() for name in ids.recordings})
        for day, ids in group.items():
            try:
                summary.add(day, erase_day(archive, day, ids, reason))
            except TableUnreadable as fault:
                summary.faults[day] = str(fault)
            number += 1
            progress(number, len(plan.days))
    return summary


def _groups(plan: ErasurePlan) -> Iterator[dict[date, ErasureIds]]:
    """Yield the ids of the plan, many recordings at a time, however many days have them."""
    group: dict[date, ErasureIds] = {}
    for day, ids in plan.days.items():
        group[day] = ids
        if sum(len(each.recordings) for each in group.values()) >= _RECORDINGS_AT_ONCE:
            yield group
            group = {}
    if group:
        yield group


def finish_erasures(archive: Archive, day: date) -> ErasureSummary:
    """Remove what is stored again of the recordings and bots that the day's audit lists, and complete interrupted ones.

    Returns what this call removed. Reads one file if the day has no audit. Takes the lock of the day if there is
    something to remove: call it without that lock. Raises StorageError.
    """
    summary, ids = ErasureSummary(), returned_on(archive, day)
    if ids.recordings or ids.bots:
        summary.add(day, erase_day(archive, day, ErasureIds(ids.recordings, ids.bots), _REASON))
    return summary
