"""A real `sync` process, a sandbox that misbehaves, and the archive that comes of it held against the truth.

Belongs here: starting and killing processes, small worlds, the comparison of an archive with what the sandbox served.
It reads the archive with pyarrow and soundfile alone, so that a mistake of the pipeline cannot hide behind itself.
Does not belong here: which faults there are, and how often they are tried: see `chaos.faults`, `chaos.kills`
and `chaos.soak`.
Comes in: a world and a folder. Goes out: what a process came to, and sentences about what is wrong, if anything is.
"""

from recall_pipeline_tests.chaos.trials.archived import Archived, lies, shortfalls
from recall_pipeline_tests.chaos.trials.processes import Ended, Running, workers_of
from recall_pipeline_tests.chaos.trials.trial import ShiftedClock, Trial
from recall_pipeline_tests.chaos.trials.worlds import add_talk, small_world

__all__ = [
    "Archived",
    "Ended",
    "Running",
    "ShiftedClock",
    "Trial",
    "add_talk",
    "lies",
    "shortfalls",
    "small_world",
    "workers_of",
]
