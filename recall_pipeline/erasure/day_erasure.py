"""Erase recordings and bots of a day: begin the audit rows, remove files, redact rows, finish the audit rows.

Every sync skips recordings that have such an audit row, so that an interrupted erasure leaves nothing for it to
download again. The same request completes the erasure, with the same audit rows as without the interruption.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from recall_pipeline.audit import AUDIT, FORGOTTEN, AuditRow, record_audit
from recall_pipeline.catalog import CATALOG, CatalogRow
from recall_pipeline.days import utc_now
from recall_pipeline.discovery import BOTS, RECORDINGS, BotRow, RecordingRow
from recall_pipeline.download import MIXED_AUDIO, MixedAudioRow
from recall_pipeline.erasure import files
from recall_pipeline.erasure.plan import ErasureIds
from recall_pipeline.storage import Archive, Table

Row = TypeVar("Row")


def erase_day(archive: Archive, day: date, ids: ErasureIds, reason: str) -> list[AuditRow]:
    """Erase `ids` of `day` and return their audit rows. Holds the lock of the day. Raises StorageError."""
    with archive.lock_day(day):
        tables = _Tables.read(archive, day)  # an unreadable table stops the erasure before anything is removed
        audit_rows = _begin_audit(archive, day, ids, reason, tables)
        for recording_id in sorted(ids.recordings):
            for folder in files.folders_of(day, recording_id):
                archive.remove_below(folder)
        files.discard_partials(archive, tables.audio_ids(ids.recordings))
        tables.redact(archive, ids)
        return _finish_audit(archive, day, audit_rows)


def _begin_audit(archive: Archive, day: date, ids: ErasureIds, reason: str, tables: "_Tables") -> list[AuditRow]:
    """Write unfinished audit rows with all files to remove, and those that an interrupted erasure has removed."""
    before = {row.key: row for row in AUDIT.read(archive, day) or []}
    sizes, stated = files.sizes_by_recording(archive, day), files.stated_hashes(tables.mp3s, tables.catalog)
    now = utc_now()
    audit_rows = []
    for recording_id in sorted(ids.recordings):
        found = {key: files.with_hash(archive, key, size, stated) for key, size in sizes.get(recording_id, {}).items()}
        row = AuditRow(FORGOTTEN, recording_id, None, tables.bot_of(recording_id), reason, now)
        audit_rows.append(_with_files(before.get(row.key, row), found))
    for bot_id in sorted(ids.bots):
        row = AuditRow(FORGOTTEN, None, None, bot_id, reason, now)
        audit_rows.append(before.get(row.key, row))
    record_audit(archive, day, audit_rows)
    return audit_rows


def _with_files(row: AuditRow, found: dict[str, files.File]) -> AuditRow:
    """Return the row with the `found` files added to those it lists; unfinished again if there are any."""
    removed = {file.key: file for file in files.from_json(row.removed)} | found
    return dataclasses.replace(
        row,
        finished_at=None if found else row.finished_at,
        files=len(removed),
        bytes=sum(file.bytes for file in removed.values()),
        removed=files.to_json(removed.values()),
    )


def _finish_audit(archive: Archive, day: date, audit_rows: list[AuditRow]) -> list[AuditRow]:
    now = utc_now()
    done = [dataclasses.replace(row, finished_at=row.finished_at or now) for row in audit_rows]
    record_audit(archive, day, done)
    return done


@dataclass(frozen=True, slots=True)
class _Tables:
    """The rows of a day in every table that contains personal data."""

    day: date
    bots: list[BotRow]
    recordings: list[RecordingRow]
    mp3s: list[MixedAudioRow]
    catalog: list[CatalogRow]

    @classmethod
    def read(cls, archive: Archive, day: date) -> "_Tables":
        return cls(
            day,
            BOTS.read(archive, day) or [],
            RECORDINGS.read(archive, day) or [],
            MIXED_AUDIO.read(archive, day) or [],
            CATALOG.read(archive, day) or [],
        )

    def bot_of(self, recording_id: str) -> str | None:
        rows: Iterator[RecordingRow | CatalogRow] = (
            row for rows in (self.recordings, self.catalog) for row in rows if row.recording_id == recording_id
        )
        return next((row.bot_id for row in rows if row.bot_id), None)

    def audio_ids(self, recordings: frozenset[str]) -> set[str]:
        rows: Iterator[MixedAudioRow | CatalogRow] = (row for rows in (self.mp3s, self.catalog) for row in rows)
        return {row.audio_id for row in rows if row.audio_id and row.recording_id in recordings}

    def redact(self, archive: Archive, ids: ErasureIds) -> None:
        """Replace the rows of `ids` by redacted rows."""
        now = utc_now()
        erased = ids.recordings
        self._write(archive, BOTS, self.bots, [r.redacted() if r.bot_id in ids.bots else r for r in self.bots])
        recordings = [r.redacted() if r.recording_id in erased else r for r in self.recordings]
        self._write(archive, RECORDINGS, self.recordings, recordings)
        mp3s = [r.redacted() if r.recording_id in erased else r for r in self.mp3s]
        self._write(archive, MIXED_AUDIO, self.mp3s, mp3s)
        catalog = [r.redacted(now) if r.recording_id in erased else r for r in self.catalog]
        self._write(archive, CATALOG, self.catalog, catalog)

    def _write(self, archive: Archive, table: Table[Row], before: list[Row], after: list[Row]) -> None:
        if after != before:
            table.write(archive, self.day, after, table.facts(archive, self.day))
