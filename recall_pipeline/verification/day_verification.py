"""Verify days: read the tables, check the files that they reference, report the files that they do not."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby

from recall_pipeline.audio import run_tasks, time_limit_seconds
from recall_pipeline.progress import StepProgress
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, Layout
from recall_pipeline.verification.file_check import FileCheck, check_file, problem_of
from recall_pipeline.verification.orphans import FOLDERS, OlderVersion, unreferenced
from recall_pipeline.verification.problems import Problem, VerificationReport
from recall_pipeline.verification.referenced_files import read_tables

_BATCH_FILES = 1000  # starting a pool of workers takes longer than reading the files of a quiet day

_Suspicion = tuple[Problem, FileCheck | None]
"""A problem to confirm, and the check of a file that found it; None for a problem of the tables."""


@dataclass(frozen=True, slots=True)
class Subset:
    """The part `number` of `parts`, counted from 1. A key is in the same part at every run."""

    number: int
    parts: int

    def has(self, key: str) -> bool:
        """Return whether the file of `key` is in this part."""
        digest = hashlib.sha256(key.encode()).digest()
        return int.from_bytes(digest[:8]) % self.parts == self.number - 1


def stored_days(archive: Archive, first: date | None = None, last: date | None = None) -> list[date]:
    """Return the days from `first` to `last` (None: open) with anything stored in the archive, oldest first."""
    found = {day for folder in FOLDERS for name in archive.names(folder) if (day := Layout.day_in(name)) is not None}
    return sorted(day for day in found if (first is None or first <= day) and (last is None or day <= last))


def verify_days(
    archive: Archive,
    settings: Settings,
    days: Sequence[date],
    progress: StepProgress,
    only: frozenset[str] | None = None,
    subset: Subset | None = None,
) -> VerificationReport:
    """Verify `days` of the archive against their tables; with `only`, check files of these recording ids only.

    With `subset`, files of this part only are read back.

    Changes nothing. Raises StorageError if the archive cannot be listed.
    """
    report, had_spool = VerificationReport(list(days)), archive.staging_folder.exists()
    suspected: list[_Suspicion] = []
    for inspections in _batches(_inspect_day(archive, day, only) for day in days):
        for inspection in inspections:
            inspection.files = [file for file in inspection.files if subset is None or subset.has(file.key)]
        files = [task for inspection in inspections for task in inspection.files]
        checks = run_tasks(check_file, files, workers=settings.processes, limit=_check_limit_seconds)
        for number, done in enumerate(checks, start=1):
            report.size_bytes += done.task.size_bytes or 0
            if (problem := problem_of(done)) is not None:
                suspected.append((problem, done.task))
            progress("read back", number, len(files))
        for inspection in inspections:
            inspection.add_to(report)
            suspected += [(problem, None) for problem in inspection.problems]
        progress("days", days.index(inspections[-1].day) + 1, len(days))
    report.problems = list(_confirmed(archive, suspected))
    if not had_spool:
        archive.close_staging_folder()
    return report


def _check_limit_seconds(file: FileCheck) -> float:
    return time_limit_seconds(file.size_bytes)


@dataclass(slots=True)
class _DayInspection:
    """The files of a day to check, and the problems of its tables and listings."""

    day: date
    files: list[FileCheck] = field(default_factory=list)
    superseded: int = 0
    corrupt: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def add_to(self, report: VerificationReport) -> None:
        """Add the counts of this day to the report."""
        report.files += len(self.files)
        report.superseded += self.superseded
        report.corrupt |= dict.fromkeys(self.corrupt, self.day)


def _inspect_day(archive: Archive, day: date, only: frozenset[str] | None) -> _DayInspection:
    tables = read_tables(archive, day)
    inspection = _DayInspection(day, corrupt=tables.corrupt, problems=list(tables.problems))
    for file in tables.files.values():
        inspection.files.append(
            FileCheck(archive.location, day, file.key, file.recording_id, file.size_bytes, file.sha256, file.is_audio)
        )
    for found in unreferenced(archive, tables):
        if isinstance(found, OlderVersion):
            inspection.superseded += 1
            inspection.files.append(
                FileCheck(archive.location, day, found.key, found.recording_id, None, found.version, False)
            )
        else:
            inspection.problems.append(found)
    inspection.files = [task for task in inspection.files if only is None or task.recording_id in only]
    return inspection


def _batches(inspections: Iterable[_DayInspection]) -> Iterator[list[_DayInspection]]:
    """Yield the inspections in groups with about enough files for one pool of workers."""
    batch: list[_DayInspection] = []
    for inspection in inspections:
        batch.append(inspection)
        if sum(len(inspected.files) for inspected in batch) >= _BATCH_FILES:
            yield batch
            batch = []
    if batch:
        yield batch


def _confirmed(archive: Archive, suspected: Sequence[_Suspicion]) -> Iterator[Problem]:
    """Yield the problems that still exist, by day: a sync may have changed a day during the checks."""
    for day, of_day in groupby(sorted(suspected, key=_day_of), key=_day_of):
        inspection = _inspect_day(archive, day, None)
        files, problems = set(inspection.files), set(inspection.problems)
        for problem, file in of_day:
            if problem in problems if file is None else file in files:
                yield problem


def _day_of(suspicion: _Suspicion) -> date:
    return suspicion[0].day
