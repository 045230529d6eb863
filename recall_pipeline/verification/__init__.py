"""Prove the archive against its tables: every file read back, every file accounted for.

Belongs here: which files the tables of a day name and where tables contradict one another; reading a file back in a
process of its own; telling older versions from orphans; removing an orphan that is proven to be one too many.
Does not belong here: bringing back what is lost. That is done by a sync which looks at its recording again.
Comes in: the archive. Goes out: everything that is wrong with it, and nothing is written on the way.
"""

from recall_pipeline.verification.absent import absent, expected_days
from recall_pipeline.verification.day_verification import stored_days, verify_days
from recall_pipeline.verification.problems import Kind, Problem, VerificationReport
from recall_pipeline.verification.repair import days_to_sync_again, remove_redundant_files, with_explanations

__all__ = [
    "Kind",
    "Problem",
    "VerificationReport",
    "absent",
    "days_to_sync_again",
    "expected_days",
    "remove_redundant_files",
    "stored_days",
    "verify_days",
    "with_explanations",
]
