"""Fixity: read back every stored file once in so many days, and compare it with what is known of it.

Belongs here: the table `fixity`; which files are stored, and what the tables state of them; which of them a pass reads;
reading and hashing one file; which files are damaged or overdue.
Does not belong here: decoding, and relations between tables (`verification`); restoring a file, which a sync does.
Comes in: the archive. Goes out: rows of `fixity`. Nothing else is written, and no file is removed.
"""

from typing import TYPE_CHECKING

from recall_pipeline.fixity.rows import FIXITY, FIXITY_KEY, FixityRow, read_fixity, remove_fixity_rows
from recall_pipeline.lazy_imports import lazy_names

if TYPE_CHECKING:
    from recall_pipeline.fixity.fixity_pass import PassReport, run_pass
    from recall_pipeline.fixity.schedule import ReadingCycle
    from recall_pipeline.fixity.state import FixityState, read_state

__all__ = [
    "FIXITY",
    "FIXITY_KEY",
    "FixityRow",
    "FixityState",
    "PassReport",
    "ReadingCycle",
    "read_fixity",
    "read_state",
    "remove_fixity_rows",
    "run_pass",
]

__getattr__ = lazy_names(
    __name__,
    {
        "fixity_pass": ("PassReport", "run_pass"),
        "schedule": ("ReadingCycle",),
        "state": ("FixityState", "read_state"),
    },
)
