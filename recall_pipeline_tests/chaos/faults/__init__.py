"""What may go wrong under a sync, fault by fault.

    python -m recall_pipeline_tests.chaos.faults [--only NAME] [--times N] [--json]

Each fault meets a real `recall-pipeline sync` process with an archive of its own. While it lasts, the process has to
end within a bound, without a traceback, with the status that fits, and nothing on disk may be untrue. Then the fault
is lifted, and one more sync has to leave exactly what the sandbox's truth says: every row, every byte, no file besides.

Belongs here: the list of faults, and the trial of one. Does not: how processes run and archives are compared
(`recall_pipeline_tests.chaos.trials`), what the sandbox can do wrong (`recall_sandbox.effects`).
"""

from recall_pipeline_tests.chaos.faults.fault import Fault, Verdict, attempt
from recall_pipeline_tests.chaos.faults.of_machine import OF_MACHINE
from recall_pipeline_tests.chaos.faults.of_media import OF_MEDIA
from recall_pipeline_tests.chaos.faults.of_service import OF_SERVICE

FAULTS = (*OF_SERVICE, *OF_MEDIA, *OF_MACHINE)

__all__ = ["FAULTS", "Fault", "Verdict", "attempt"]
