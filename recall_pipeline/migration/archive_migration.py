"""Migrate an archive: one day at a time under its lock, each file replaced in one step, and only if it has to be."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from recall_pipeline.catalog import CATALOG
from recall_pipeline.errors import StorageError
from recall_pipeline.migration.derived_columns import with_derived_columns
from recall_pipeline.migration.places import placed
from recall_pipeline.migration.table_files import DayTableFile, table_files
from recall_pipeline.progress import StepProgress
from recall_pipeline.storage import Archive

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(slots=True)
class MigrationReport:
    """Counts of days and tables, and a line for each table that cannot be read."""

    days: int = 0
    tables_rewritten: int = 0
    uris_rewritten: int = 0
    already_current: int = 0
    error_lines: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Migrated:
    """The content of a file as it has to be; `uris` counts those that change."""

    file: DayTableFile
    content: "pa.Table"
    uris: int


def migrate_archive(archive: Archive, progress: StepProgress, *, dry_run: bool = False) -> MigrationReport:
    """Rewrite each table of an older schema or place; with `dry_run`, count them only.

    An interruption costs nothing: what was rewritten is current. Raises StorageError if the archive cannot be listed.
    """
    report = MigrationReport()
    files_by_day = table_files(archive)
    for number, (day, files) in enumerate(files_by_day.items(), start=1):
        report.days += 1
        _migrate_day(archive, day, files, report, dry_run=dry_run)
        progress("days", number, len(files_by_day))
    return report


def _migrate_day(
    archive: Archive, day: date, files: Sequence[DayTableFile], report: MigrationReport, *, dry_run: bool
) -> None:
    """Migrate the files of a day. A day on which every file is current is not locked."""
    looked_at = MigrationReport()
    outdated = list(_outdated(archive, files, looked_at))
    if outdated and not dry_run:
        looked_at = MigrationReport()
        with archive.lock_day(day):
            for migrated in _outdated(archive, files, looked_at):
                _publish(archive, migrated, looked_at)
    report.tables_rewritten += looked_at.tables_rewritten
    report.uris_rewritten += looked_at.uris_rewritten
    report.already_current += looked_at.already_current
    report.error_lines += looked_at.error_lines


def _outdated(archive: Archive, files: Sequence[DayTableFile], report: MigrationReport) -> Iterator[_Migrated]:
    """Yield the new content of each file that is not current, and count all files."""
    for file in files:
        try:
            content = file.table.load_file(archive, file.key)
            migrated = None if content is None else _migrated(archive, file, content)
        except StorageError as error:
            report.error_lines.append(f"{file.day}: {error}")
            continue
        if migrated is not None:
            report.tables_rewritten += 1
            report.uris_rewritten += migrated.uris
            yield migrated
        elif content is not None:
            report.already_current += 1


def _migrated(archive: Archive, file: DayTableFile, content: "pa.Table") -> _Migrated | None:
    """Return a file in the present schema and place; None if it is so already. Raises StorageError."""
    is_current = file.table.is_current(content)
    present = file.table.upgraded(archive, file.key, content)
    if not is_current:
        present = with_derived_columns(archive, file, present)
    before, uris = present, 0
    if file.table is CATALOG:
        present, uris = placed(archive, present)
    return None if is_current and present.equals(before) else _Migrated(file, present, uris)


def _publish(archive: Archive, migrated: _Migrated, report: MigrationReport) -> None:
    """Replace the file; if that fails, report it, and leave the file as it was."""
    try:
        migrated.file.table.publish(archive, migrated.file.key, migrated.content)
    except StorageError as error:
        report.error_lines.append(f"{migrated.file.day}: {error}")
        report.tables_rewritten -= 1
        report.uris_rewritten -= migrated.uris
