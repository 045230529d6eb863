"""Delete at Recall what was proven again just now, so that it is no longer stored, and billed, twice.

Belongs here: which MP3s may go, holding them against what Recall lists now, proving, deleting, writing it down.
Does not belong here: anything of the archive but its audit. Recordings, video and transcripts at Recall stay.
Comes in: days. Goes out: DELETE requests, and rows of `audit`.
"""

from recall_pipeline.upstream_deletion.candidates import Candidate, candidates_on, days_older_than
from recall_pipeline.upstream_deletion.day_deletion import DeletionReport, delete_day

__all__ = ["Candidate", "DeletionReport", "candidates_on", "days_older_than", "delete_day"]
