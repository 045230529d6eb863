"""What the table `fixity` states at a moment: damaged files, files that were not read for too long."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from recall_pipeline.fixity.rows import OK, read_fixity_columns
from recall_pipeline.fixity.schedule import ReadingCycle
from recall_pipeline.fixity.stored_files import FileKind
from recall_pipeline.storage import Archive


@dataclass(frozen=True, slots=True)
class DamagedFile:
    """A file that the last check did not find right, and the code of its damage."""

    key: str
    kind: str
    recording_id: str | None
    code: str

    @property
    def is_repairable(self) -> bool:
        """Whether a sync of the recording may store it again: Recall may still serve it, or its original is stored."""
        return self.kind in (FileKind.ORIGINAL, FileKind.NORMALIZED)


@dataclass(slots=True)
class FixityState:
    """Numbers of files and bytes, the damaged files by day, and the number of overdue ones by day.

    `oldest`: since when the file that was not read for the longest time has not been read, UTC.
    """

    files: int = 0
    size_bytes: int = 0
    not_checked: int = 0
    oldest: datetime | None = None
    damaged: Mapping[date, list[DamagedFile]] = field(default_factory=lambda: defaultdict(list))
    overdue: dict[date, int] = field(default_factory=lambda: defaultdict(int))


_COLUMNS = ("key", "kind", "day", "recording_id", "size_bytes", "found_at", "checked_at", "result")


def read_state(archive: Archive, cycle: ReadingCycle | None, now: datetime) -> FixityState:
    """Return the state of the archive's table; without a `cycle`, nothing is overdue. Raises StorageError."""
    state = FixityState()
    values: Any = read_fixity_columns(archive, *_COLUMNS)
    for key, kind, day, recording_id, size_bytes, found_at, checked_at, result in values:
        since = checked_at or found_at
        state.files += 1
        state.size_bytes += size_bytes or 0
        state.not_checked += checked_at is None
        state.oldest = since if state.oldest is None else min(state.oldest, since)
        if result not in (None, OK):
            state.damaged[day].append(DamagedFile(key, kind, recording_id, result))
        if cycle and now - since > cycle.limit:
            state.overdue[day] += 1
    return state
