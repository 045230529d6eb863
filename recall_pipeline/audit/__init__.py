"""Write down what was let go, and know by that what must never come back.

Belongs here: the table `audit`, one row for each recording or bot that was forgotten, and for each MP3 that was
released at Recall; the look at a day's rows which everything that brings recordings home takes first.
Does not belong here: letting go itself (`forgetting`, `releasing`).
Comes in: rows. Goes out: the ids of a day that are forgotten. It outlives every other table: what a lost or restored
table has forgotten of forgetting, this one knows.
"""

from recall_pipeline.audit.rows import AUDIT, FORGOTTEN, RELEASED, AuditRow, ErasedIds, erased_on, record_audit

__all__ = ["AUDIT", "FORGOTTEN", "RELEASED", "AuditRow", "ErasedIds", "erased_on", "record_audit"]
