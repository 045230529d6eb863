"""A real `sync` process, a sandbox with faults, and the comparison of the archive with the expected rows.

Belongs here: starting and killing processes, small worlds, the comparison of an archive with what the sandbox served.
It reads the archive with pyarrow and soundfile only, so that it shares no mistake with the pipeline.
Does not belong here: which faults there are, and how often they are tried: see `chaos.faults`, `chaos.kills`
and `chaos.soak`.
Comes in: a world and a folder. Goes out: the result of a process, and a sentence for each error found.
"""

from recall_pipeline_tests.chaos.trials.archived import Archived, shortfalls, violations
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
    "shortfalls",
    "small_world",
    "violations",
    "workers_of",
]
