"""Verify days: read the tables, read back what they name, account for what they do not."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby

from recall_pipeline.audio import run_tasks
from recall_pipeline.progress import StepProgress
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, Layout
from recall_pipeline.verification.file_check import ReadBack, problem_of, read_back
from recall_pipeline.verification.orphans import FOLDERS, OlderVersion, unreferenced
from recall_pipeline.verification.problems import Problem, VerificationReport
from recall_pipeline.verification.referenced_files import read_tables

_AT_ONCE = 1000  # files; a pool for each day would take longer to start than to read a quiet day

_Suspicion = tuple[Problem, ReadBack | None]
"""What seems to be wrong, and the file that was read back, if it was one."""


def stored_days(archive: Archive, first: date | None = None, last: date | None = None) -> list[date]:
    """Return the days from `first` to `last` (None: open) of which anything lies in the archive, the oldest first."""
    found = {day for folder in FOLDERS for name in archive.names(folder) if (day := Layout.day_in(name)) is not None}
    return sorted(day for day in found if (first is None or first <= day) and (last is None or day <= last))


def verify_days(
    archive: Archive,
    settings: Settings,
    days: Sequence[date],
    progress: StepProgress,
    only: frozenset[str] | None = None,
) -> VerificationReport:
    """Prove the archive against its tables for some days, and of these `only` some recordings' files; change nothing.

    Raises StorageError when the archive cannot be listed.
    """
    verified, had_spool = VerificationReport(list(days)), archive.staging_folder.exists()
    suspected: list[_Suspicion] = []
    for looks in _batches(_inspect_day(archive, day, only) for day in days):
        files = [task for look in looks for task in look.files]
        for number, done in enumerate(run_tasks(read_back, files, workers=settings.processes), start=1):
            verified.size_bytes += done.task.size_bytes or 0
            if (problem := problem_of(done)) is not None:
                suspected.append((problem, done.task))
            progress("read back", number, len(files))
        for look in looks:
            look.add_to(verified)
            suspected += [(problem, None) for problem in look.problems]
        progress("days", days.index(looks[-1].day) + 1, len(days))
    verified.problems = list(_confirmed(archive, suspected))
    if not had_spool:
        archive.close_staging_folder()
    return verified


@dataclass(slots=True)
class _DayInspection:
    """What is to be read back of a day, and what is wrong at first sight."""

    day: date
    files: list[ReadBack] = field(default_factory=list)
    superseded: int = 0
    corrupt: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def add_to(self, verified: VerificationReport) -> None:
        """Count this day in."""
        verified.files += len(self.files)
        verified.superseded += self.superseded
        verified.corrupt |= dict.fromkeys(self.corrupt, self.day)


def _inspect_day(archive: Archive, day: date, only: frozenset[str] | None) -> _DayInspection:
    tables = read_tables(archive, day)
    look = _DayInspection(day, corrupt=tables.corrupt, problems=list(tables.problems))
    for file in tables.files.values():
        task = ReadBack(archive.location, day, file.key, file.recording_id, file.size_bytes, file.sha256, file.is_sound)
        look.files.append(task)
    for found in unreferenced(archive, tables):
        if isinstance(found, OlderVersion):
            look.superseded += 1
            look.files.append(
                ReadBack(archive.location, day, found.key, found.recording_id, None, found.version, False)
            )
        else:
            look.problems.append(found)
    look.files = [task for task in look.files if only is None or task.recording_id in only]
    return look


def _batches(looks: Iterable[_DayInspection]) -> Iterator[list[_DayInspection]]:
    """Yield the looks in groups of about as many files as are worth a pool."""
    batch: list[_DayInspection] = []
    for look in looks:
        batch.append(look)
        if sum(len(one.files) for one in batch) >= _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _confirmed(archive: Archive, suspected: Sequence[_Suspicion]) -> Iterator[Problem]:
    """Yield what is still wrong, by day: a sync may have changed a day while it was read."""
    for day, of_day in groupby(sorted(suspected, key=_day_of), key=_day_of):
        look = _inspect_day(archive, day, None)
        files, problems = set(look.files), set(look.problems)
        for problem, file in of_day:
            if problem in problems if file is None else file in files:
                yield problem


def _day_of(suspicion: _Suspicion) -> date:
    return suspicion[0].day
