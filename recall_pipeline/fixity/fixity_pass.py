"""One pass: bring the table `fixity` up to date with what is stored, then read back what the cycle needs.

The table is written before the first file is read, from time to time, and at the end. A pass that is killed loses the
checks of the last minutes, and the next one makes them.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from recall_pipeline.days import utc_now
from recall_pipeline.fixity.reading import Reading, read_back
from recall_pipeline.fixity.rows import OK, FixityRow, fixity_table_locked, read_fixity, write_fixity
from recall_pipeline.fixity.schedule import ReadingCycle
from recall_pipeline.fixity.stored_files import StoredFile, days_with_files, erased_recordings, stored_files
from recall_pipeline.progress import Progress, no_progress
from recall_pipeline.storage import Archive, raise_if_storage_is_down

TIME_LIMIT = timedelta(hours=4)
_CHECKPOINT_AFTER = timedelta(minutes=2)
_BATCH_FILES = 64
_READS_AT_ONCE = 8  # in a bucket, where each read waits for the network; a disk reads one file at a time
_LOCK = "fixity-pass"


@dataclass(slots=True)
class PassReport:
    """What a pass did: files and bytes that are stored, those that it chose and read, and the damage that it found.

    `is_complete`: it read everything that it chose, within its time.
    """

    files: int = 0
    size_bytes: int = 0
    chosen: int = 0
    checked: int = 0
    bytes_read: int = 0
    damaged: list[FixityRow] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether every chosen file was read."""
        return self.checked >= self.chosen


def run_pass(
    archive: Archive,
    cycle: ReadingCycle,
    progress: Progress = no_progress,
    clock: Callable[[], datetime] = utc_now,
    time_limit: timedelta = TIME_LIMIT,
) -> PassReport:
    """Read back the files that `cycle` needs at `clock`, until `time_limit` is over; `progress` counts files.

    Raises StorageError if the storage does not answer, or the table `fixity` cannot be read or written.
    """
    with archive.exclusive_lock(_LOCK):
        began_at = clock()
        files = {file.key: file for file in stored_files(archive, days_with_files(archive))}
        rows = _updated_table(archive, files, began_at)
        report = PassReport(len(rows), sum(row.size_bytes or 0 for row in rows.values()))
        chosen = _chosen_rows(cycle, rows, files, began_at)
        report.chosen = len(chosen)
        for checked in _read_in_batches(archive, chosen, files, clock, began_at + time_limit):
            _save(archive, checked, report)
            progress(report.checked, report.chosen)
    return report


def _updated_table(archive: Archive, files: Mapping[str, StoredFile], now: datetime) -> dict[str, FixityRow]:
    """Write and return a row for each file: as before, or new for a new file and for one that was replaced."""
    with fixity_table_locked(archive):
        before = read_fixity(archive)
        erased = erased_recordings(archive, {file.day for file in files.values()})  # meanwhile
        kept = [file for file in files.values() if file.recording_id not in erased]
        rows = {file.key: _row_of(file, before.get(file.key), now) for file in kept}
        if rows != before:
            write_fixity(archive, rows)
    return rows


def _row_of(file: StoredFile, before: FixityRow | None, now: datetime) -> FixityRow:
    if before is not None and not _is_replaced(file, before):
        return dataclasses.replace(before, kind=str(file.kind))
    return FixityRow(file.key, str(file.kind), file.day, file.recording_id, None, file.size_bytes, now, None, None)


def _is_replaced(file: StoredFile, row: FixityRow) -> bool:
    """Return whether other content is stored, or stated, than when the row was written."""
    is_other = row.sha256 is not None and not row.sha256.startswith(file.stated_sha256 or "")
    return file.size_bytes != row.size_bytes or is_other


def _chosen_rows(
    cycle: ReadingCycle, rows: Mapping[str, FixityRow], files: Mapping[str, StoredFile], now: datetime
) -> list[FixityRow]:
    """Return the rows to check: those of a wrong size first, which costs nothing."""
    wrong = [row for key, row in rows.items() if files[key].has_wrong_size]
    return [*wrong, *cycle.chosen([row for key, row in rows.items() if not files[key].has_wrong_size], now)]


def _read_in_batches(
    archive: Archive,
    chosen: Sequence[FixityRow],
    files: Mapping[str, StoredFile],
    clock: Callable[[], datetime],
    until: datetime,
) -> Iterator[list[tuple[Reading, datetime]]]:
    """Yield the readings in groups to save, until the time is over."""
    unsaved: list[tuple[Reading, datetime]] = []
    saved_at = clock()
    with ThreadPoolExecutor(1 if archive.is_local else _READS_AT_ONCE) as threads:
        for start in range(0, len(chosen), _BATCH_FILES):
            if clock() >= until:
                break
            batch = chosen[start : start + _BATCH_FILES]
            readings = list(threads.map(lambda row: read_back(archive, files[row.key], row.sha256), batch))
            raise_if_storage_is_down([reading.error for reading in readings])
            unsaved += [(reading, clock()) for reading in _without_resolved(archive, readings)]
            if clock() - saved_at >= _CHECKPOINT_AFTER:
                yield unsaved
                unsaved, saved_at = [], clock()
    yield unsaved


def _without_resolved(archive: Archive, readings: Sequence[Reading]) -> Iterator[Reading]:
    """Yield the readings without damage that is over: a sync or an erasure may have replaced the file meanwhile."""
    suspected = [reading.file for reading in readings if reading.result != OK]
    now = {file.key: file for file in stored_files(archive, sorted({file.day for file in suspected}))}
    yield from (reading for reading in readings if reading.result == OK or now.get(reading.file.key) == reading.file)


def _save(archive: Archive, checked: Sequence[tuple[Reading, datetime]], report: PassReport) -> None:
    """Write the results into the table, except those of recordings that were erased meanwhile."""
    with fixity_table_locked(archive):
        rows = read_fixity(archive)
        erased = erased_recordings(archive, {reading.file.day for reading, _ in checked})
        for reading, at in checked:
            row = rows.get(reading.file.key)
            if row is not None and reading.file.recording_id not in erased:
                rows[row.key] = _with_result(row, reading, at)
                report.damaged += [rows[row.key]] if rows[row.key].is_damaged else []
            report.checked += 1
            report.bytes_read += reading.bytes_read
        if checked:
            write_fixity(archive, rows)


def _with_result(row: FixityRow, reading: Reading, at: datetime) -> FixityRow:
    sha256 = reading.sha256 if reading.result == OK else row.sha256
    return dataclasses.replace(row, sha256=sha256, checked_at=at, result=str(reading.result))
