"""Erase recordings and bots of a day: begin the audit rows, remove files, redact rows, finish the audit rows.

Every sync skips recordings that have such an audit row, so that an interrupted erasure leaves nothing for it to
download again. The same request, or the next sync of the day, completes the erasure, with the same audit rows as
without the interruption.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from recall_pipeline.audit import AUDIT, FORGOTTEN, AuditRow, record_audit
from recall_pipeline.days import utc_now
from recall_pipeline.erasure import files
from recall_pipeline.erasure.day_tables import DayTables
from recall_pipeline.erasure.plan import ErasureIds
from recall_pipeline.fixity import remove_fixity_rows
from recall_pipeline.storage import Archive


def erase_day(archive: Archive, day: date, ids: ErasureIds, reason: str) -> list[AuditRow]:
    """Erase `ids` of `day`. Holds the lock of the day.

    Returns an audit row for each id of which data was stored, with the files that this call removed. The stored audit
    row adds them to those removed before. Raises StorageError.
    """
    with archive.lock_day(day):
        tables = DayTables.read(archive, day)  # an unreadable table stops the erasure before anything is removed
        begun = _begin_audit(archive, day, ids, reason, tables)
        for recording_id in sorted(ids.recordings):
            for folder in files.folders_of(day, recording_id):
                archive.remove_below(folder)
        files.discard_checkpoints(archive, day, ids.recordings)
        remove_fixity_rows(archive, ids.recordings)
        files.discard_partials(archive, tables.audio_ids(ids.recordings))
        tables.redact(archive, ids.recordings, ids.bots)
        return _finish_audit(archive, day, begun)


@dataclass(frozen=True, slots=True)
class _BegunErasure:
    """An audit row as it is stored before the removal, and the files to remove."""

    row: AuditRow
    found: Mapping[str, files.File]

    @property
    def of_this_call(self) -> AuditRow:
        removed = self.found.values()
        size_bytes = sum(file.bytes for file in removed)
        return dataclasses.replace(self.row, files=len(removed), bytes=size_bytes, removed=files.to_json(removed))


def _begin_audit(archive: Archive, day: date, ids: ErasureIds, reason: str, tables: DayTables) -> list[_BegunErasure]:
    """Write unfinished audit rows with all files to remove, and those that an earlier erasure has removed."""
    before = {row.key: row for row in AUDIT.read(archive, day) or []}
    sizes, stated = files.sizes_by_recording(archive, day), files.stated_hashes(tables.mp3s, tables.catalog)
    personal_recordings, personal_bots = tables.personal_recordings(), tables.personal_bots()
    now = utc_now()
    begun = []
    for recording_id in sorted(ids.recordings):
        found = {key: files.with_hash(archive, key, size, stated) for key, size in sizes.get(recording_id, {}).items()}
        row = AuditRow(FORGOTTEN, recording_id, None, tables.bot_of(recording_id), reason, now)
        row = _with_files(before.get(row.key, row), found)
        begun.append(_BegunErasure(_reopened(row, bool(found) or recording_id in personal_recordings), found))
    for bot_id in sorted(ids.bots):
        row = AuditRow(FORGOTTEN, None, None, bot_id, reason, now)
        begun.append(_BegunErasure(_reopened(before.get(row.key, row), bot_id in personal_bots), {}))
    record_audit(archive, day, [erasure.row for erasure in begun])
    return begun


def _with_files(row: AuditRow, found: Mapping[str, files.File]) -> AuditRow:
    """Return the row with the `found` files added to those it lists; other bytes are another file."""
    removed = {(file.key, file.sha256): file for file in (*files.from_json(row.removed), *found.values())}
    return dataclasses.replace(
        row,
        files=len(removed),
        bytes=sum(file.bytes for file in removed.values()),
        removed=files.to_json(removed.values()),
    )


def _reopened(row: AuditRow, is_stored_again: bool) -> AuditRow:
    """Return the row, unfinished again if data of its id is stored again."""
    return dataclasses.replace(row, finished_at=None) if is_stored_again else row


def _finish_audit(archive: Archive, day: date, begun: list[_BegunErasure]) -> list[AuditRow]:
    now = utc_now()
    rows = [erasure.row for erasure in begun]
    record_audit(archive, day, [dataclasses.replace(row, finished_at=row.finished_at or now) for row in rows])
    removed = [erasure.of_this_call for erasure in begun if erasure.row.finished_at is None]
    return [dataclasses.replace(row, finished_at=now) for row in removed]
