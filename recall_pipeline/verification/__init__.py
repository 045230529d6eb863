"""Verify the archive against its tables: check every referenced file, and explain every stored file.

Belongs here: the files that the tables of a day reference; contradictions between tables; reading and checking files
in worker processes; telling older versions from orphans; removing redundant orphans.
Does not belong here: restoring lost files. A sync of the affected recordings does that.
Comes in: the archive. Goes out: a report of all problems. Verification writes nothing; only
`remove_redundant_files` deletes.
"""

from recall_pipeline.verification.absent import absent
from recall_pipeline.verification.archive_verification import verify_archive
from recall_pipeline.verification.codes import CODES, Code, Kind
from recall_pipeline.verification.day_verification import Subset, stored_days, verify_days
from recall_pipeline.verification.elsewhere import elsewhere
from recall_pipeline.verification.identity_check import open_to_verify
from recall_pipeline.verification.orphans import strange_names, version_in
from recall_pipeline.verification.problems import Problem, VerificationReport
from recall_pipeline.verification.repair import days_to_sync_again, remove_redundant_files, with_explanations

__all__ = [
    "CODES",
    "Code",
    "Kind",
    "Problem",
    "Subset",
    "VerificationReport",
    "absent",
    "days_to_sync_again",
    "elsewhere",
    "open_to_verify",
    "remove_redundant_files",
    "stored_days",
    "strange_names",
    "verify_archive",
    "verify_days",
    "version_in",
    "with_explanations",
]
