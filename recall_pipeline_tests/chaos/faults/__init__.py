"""Faults during a sync, and trials of each.

    python -m recall_pipeline_tests.chaos.faults [--only NAME] [--times N] [--json]

Each trial runs a real `recall-pipeline sync` process with its own archive under one fault. The process must end within
a time limit, without a traceback, with an expected exit status, and the files on disk must be valid at any time. Then
the fault is lifted. One more sync must give exactly the expected archive: every row, every byte, no other file.

Belongs here: the list of faults, and the trial of one. Does not belong here: how processes run and archives are
compared (`recall_pipeline_tests.chaos.trials`), and the effects of the sandbox (`recall_sandbox.effects`).
"""

from recall_pipeline_tests.chaos.faults.fault import Fault, Verdict, attempt
from recall_pipeline_tests.chaos.faults.machine_faults import MACHINE_FAULTS
from recall_pipeline_tests.chaos.faults.media_faults import MEDIA_FAULTS
from recall_pipeline_tests.chaos.faults.service_faults import SERVICE_FAULTS

FAULTS = (*SERVICE_FAULTS, *MEDIA_FAULTS, *MACHINE_FAULTS)

__all__ = ["FAULTS", "Fault", "Verdict", "attempt"]
