"""Audit table of erased recordings and upstream deletions: rows are added or completed, never removed.

Belongs here: the table `audit`, with one row per erased recording or bot and per MP3 deleted at Recall; the erased ids
of a day, which every sync reads first.
Does not belong here: erasing (`erasure`) and deleting at Recall (`upstream_deletion`).
Comes in: audit rows. Goes out: the erased ids of a day. An erased recording is not downloaded again, even if other
tables are lost or restored from a backup.
"""

from recall_pipeline.audit.rows import (
    AUDIT,
    ERASED_COLUMNS,
    FORGOTTEN,
    RELEASED,
    AuditRow,
    ErasedIds,
    erased_in,
    erased_on,
    record_audit,
)

__all__ = [
    "AUDIT",
    "ERASED_COLUMNS",
    "FORGOTTEN",
    "RELEASED",
    "AuditRow",
    "ErasedIds",
    "erased_in",
    "erased_on",
    "record_audit",
]
