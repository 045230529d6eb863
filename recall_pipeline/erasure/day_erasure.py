"""Forget a day's recordings and bots: write down what goes, remove files, blank rows, write down that it is done.

The first note keeps every sync away from them, so that a kill at any point leaves nothing that could come back; the
same wish again goes on from there, and the last note tells the same as if nothing had happened.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from recall_pipeline.audit import AUDIT, FORGOTTEN, AuditRow, record_audit
from recall_pipeline.days import utc_now
from recall_pipeline.erasure import files
from recall_pipeline.erasure.day_tables import DayTables
from recall_pipeline.erasure.plan import Ids
from recall_pipeline.storage import Archive


def erase_day(archive: Archive, day: date, ids: Ids, reason: str) -> list[AuditRow]:
    """Forget `ids` of `day`; a sync of the day waits meanwhile.

    Returns an audit row for each id of which anything was there to remove, with the files that this call removed. The
    stored audit row adds them to those removed before. Raises StorageError.
    """
    with archive.lock_day(day):
        tables = DayTables.read(archive, day)  # all of them, before anything goes
        begun = _begin_audit(archive, day, ids, reason, tables)
        for recording_id in sorted(ids.recordings):
            for folder in files.folders_of(day, recording_id):
                archive.remove_below(folder)
        files.discard_partials(archive, tables.audio_ids(ids.recordings))
        tables.blank(archive, ids.recordings, ids.bots)
        return _finish_audit(archive, day, begun)


@dataclass(frozen=True, slots=True)
class _Begun:
    """An audit row as it is stored before the removal, and the files that are about to go."""

    row: AuditRow
    found: Mapping[str, files.File]

    @property
    def of_this_call(self) -> AuditRow:
        removed = self.found.values()
        size_bytes = sum(file.bytes for file in removed)
        return dataclasses.replace(self.row, files=len(removed), bytes=size_bytes, removed=files.written(removed))


def _begin_audit(archive: Archive, day: date, ids: Ids, reason: str, tables: DayTables) -> list[_Begun]:
    """Write down what is about to go, together with what an earlier try has removed already."""
    before = {row.key: row for row in AUDIT.read(archive, day) or []}
    sizes, stated = files.sizes_by_recording(archive, day), files.stated_hashes(tables.mp3s, tables.catalog)
    personal_recordings, personal_bots = tables.personal_recordings(), tables.personal_bots()
    now = utc_now()
    begun = []
    for recording_id in sorted(ids.recordings):
        found = {key: files.with_hash(archive, key, size, stated) for key, size in sizes.get(recording_id, {}).items()}
        row = AuditRow(FORGOTTEN, recording_id, None, tables.bot_of(recording_id), reason, now)
        row = _with_files(before.get(row.key, row), found)
        begun.append(_Begun(_reopened(row, bool(found) or recording_id in personal_recordings), found))
    for bot_id in sorted(ids.bots):
        row = AuditRow(FORGOTTEN, None, None, bot_id, reason, now)
        begun.append(_Begun(_reopened(before.get(row.key, row), bot_id in personal_bots), {}))
    record_audit(archive, day, [one.row for one in begun])
    return begun


def _with_files(row: AuditRow, found: Mapping[str, files.File]) -> AuditRow:
    """Return the row with the files that are there added to those it knows; other bytes are another file."""
    gone = {(file.key, file.sha256): file for file in (*files.read(row.removed), *found.values())}
    return dataclasses.replace(
        row,
        files=len(gone),
        bytes=sum(file.bytes for file in gone.values()),
        removed=files.written(gone.values()),
    )


def _reopened(row: AuditRow, is_back: bool) -> AuditRow:
    """Return the row, finished no longer if anything is there again."""
    return dataclasses.replace(row, finished_at=None) if is_back else row


def _finish_audit(archive: Archive, day: date, begun: list[_Begun]) -> list[AuditRow]:
    now = utc_now()
    record_audit(archive, day, [dataclasses.replace(one.row, finished_at=one.row.finished_at or now) for one in begun])
    removed = [one.of_this_call for one in begun if one.row.finished_at is None]
    return [dataclasses.replace(row, finished_at=now) for row in removed]
