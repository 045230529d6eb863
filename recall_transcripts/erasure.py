"""Audit rows of transcripts that are erased because their recordings were erased.

They are stored under `audit/`, in a file that only this code location writes. The two code locations may run on
different hosts, and overwriting the pipeline's audit would let erased recordings return.
"""

import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime

from recall_pipeline.downstream import AUDIT, FORGOTTEN, Archive, AuditRow, record_audit, utc_now
from recall_transcripts.rows import TRANSCRIPTS, TranscriptRow

TRANSCRIPTS_AUDIT = replace(AUDIT, part="transcripts")

_NO_REASON = "its recording is no longer in the catalog"


def record_erasures_begun(archive: Archive, day: date, rows: Iterable[TranscriptRow]) -> None:
    """Record that these rows are about to be erased, why, and their sizes. Raises StorageError."""
    reasons = {row.recording_id: row.reason for row in AUDIT.read(archive, day) or [] if row.action == FORGOTTEN}
    now = utc_now()
    record_audit(archive, day, [_audit_row(day, row, reasons, now) for row in rows], TRANSCRIPTS_AUDIT)


def record_erasures_finished(archive: Archive, day: date, kept: Container[str | None]) -> None:
    """Complete the audit rows, also those of a killed run, of all recordings but `kept`. Raises StorageError."""
    now = utc_now()
    unfinished = [row for row in TRANSCRIPTS_AUDIT.read(archive, day) or [] if row.finished_at is None]
    done = [replace(row, finished_at=now) for row in unfinished if row.audio_id not in kept]
    record_audit(archive, day, done, TRANSCRIPTS_AUDIT)


def _audit_row(day: date, row: TranscriptRow, reasons: Mapping[str | None, str], now: datetime) -> AuditRow:
    """Return a transcript's audit row, without a hash of the text: a short text could be guessed from its hash."""
    size_bytes = len(row.text.encode())
    removed = json.dumps([{"key": TRANSCRIPTS.key(day), "bytes": size_bytes}])
    reason = reasons.get(row.recording_id, _NO_REASON)
    return AuditRow(FORGOTTEN, row.recording_id, row.audio_id, None, reason, now, None, 1, size_bytes, removed)
