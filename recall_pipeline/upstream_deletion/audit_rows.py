"""Audit rows of deletions at Recall.ai: one is written before each deletion, and completed after it."""

import dataclasses
import json
from datetime import date

from recall_pipeline.audit import RELEASED, AuditRow, record_audit
from recall_pipeline.days import utc_now
from recall_pipeline.storage import Archive
from recall_pipeline.upstream_deletion.candidates import Candidate


def deletion_audit_row(candidate: Candidate, reason: str) -> AuditRow:
    """Return the audit row of an interrupted deletion; else a new one, unfinished."""
    if candidate.unfinished:
        return candidate.unfinished
    mp3 = candidate.mp3
    file = {"key": mp3.source_key, "bytes": mp3.source_bytes, "sha256": mp3.source_sha256}
    return AuditRow(
        action=RELEASED,
        recording_id=mp3.recording_id,
        audio_id=mp3.audio_id,
        bot_id=candidate.bot_id,
        reason=reason,
        began_at=utc_now(),
        files=1,
        bytes=mp3.source_bytes or 0,
        removed=json.dumps([file]),
    )


def finish_audit_row(archive: Archive, day: date, audit_row: AuditRow) -> None:
    """Record that a deletion is complete. Raises StorageError."""
    record_audit(archive, day, [dataclasses.replace(audit_row, finished_at=utc_now())])
