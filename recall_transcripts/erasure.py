"""Write down which transcripts were let go because their recordings were forgotten.

The rows lie under `audit/` beside the pipeline's own, in a file that only this code location writes: the two may run on
different hosts, and whoever overwrote the pipeline's audit would let forgotten recordings come back.
"""

import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime

from recall_pipeline.downstream import AUDIT, FORGOTTEN, Archive, AuditRow, record_audit, utc_now
from recall_transcripts.rows import TRANSCRIPTS, TranscriptRow

TRANSCRIPTS_AUDIT = replace(AUDIT, part="transcripts")

_NO_REASON = "its recording is not in the catalog any more"


def note_begun(archive: Archive, day: date, rows: Iterable[TranscriptRow]) -> None:
    """Write down that these rows are about to go, why, and how long they were. Raises StorageError."""
    reasons = {row.recording_id: row.reason for row in AUDIT.read(archive, day) or [] if row.action == FORGOTTEN}
    now = utc_now()
    record_audit(archive, day, [_audit_row(day, row, reasons, now) for row in rows], TRANSCRIPTS_AUDIT)


def note_finished(archive: Archive, day: date, kept: Container[str | None]) -> None:
    """Write down what nothing is left of, also by a run that was killed; `kept` have a row. Raises StorageError."""
    now = utc_now()
    open_notes = [row for row in TRANSCRIPTS_AUDIT.read(archive, day) or [] if row.finished_at is None]
    done = [replace(row, finished_at=now) for row in open_notes if row.audio_id not in kept]
    record_audit(archive, day, done, TRANSCRIPTS_AUDIT)


def _audit_row(day: date, row: TranscriptRow, reasons: Mapping[str | None, str], now: datetime) -> AuditRow:
    """Return the note of a transcript; no hash of its text, since a short one could be guessed from that."""
    size_bytes = len(row.text.encode())
    removed = json.dumps([{"key": TRANSCRIPTS.key(day), "bytes": size_bytes}])
    reason = reasons.get(row.recording_id, _NO_REASON)
    return AuditRow(FORGOTTEN, row.recording_id, row.audio_id, None, reason, now, None, 1, size_bytes, removed)
