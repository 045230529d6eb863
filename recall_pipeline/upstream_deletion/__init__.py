"""Delete MP3s at Recall.ai after verifying the archived copies again, to stop paying for storage twice.

Belongs here: selecting the MP3s, comparing them with a fresh listing, verifying, deleting, recording it in the audit.
Does not belong here: changes to the archive other than its audit. Recordings, video and transcripts at Recall.ai stay.
Comes in: days. Goes out: DELETE requests, and rows of `audit`.
"""

from recall_pipeline.upstream_deletion.candidates import (
    Candidate,
    DeletionEstimate,
    candidates_on,
    days_older_than,
    estimate_deletion,
)
from recall_pipeline.upstream_deletion.day_deletion import delete_day
from recall_pipeline.upstream_deletion.report import DeletionReport

__all__ = [
    "Candidate",
    "DeletionEstimate",
    "DeletionReport",
    "candidates_on",
    "days_older_than",
    "delete_day",
    "estimate_deletion",
]
