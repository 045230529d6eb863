"""Append-only audit table of erased recordings and upstream deletions.

Every sync reads it first, so that an erased recording is not downloaded again, even if other tables are lost or
restored.

Belongs here: the table `audit`, with one row per erased recording or bot and one per MP3 that was deleted upstream,
and the lookup of a day's erased ids.
Does not belong here: the erasure (`erasure`) and the deletion (`upstream_deletion`).
Comes in: rows. Goes out: the erased ids of a day.
"""

from recall_pipeline.audit.rows import AUDIT, FORGOTTEN, RELEASED, AuditRow, ErasedIds, erased_on, record_audit

__all__ = ["AUDIT", "FORGOTTEN", "RELEASED", "AuditRow", "ErasedIds", "erased_on", "record_audit"]
