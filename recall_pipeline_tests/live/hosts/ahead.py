"""Run a module on a clock that is ahead: `python -m ... SECONDS MODULE ARGUMENTS`. Its worker processes are not.

The last line on stderr is the peak memory of the process in MiB.
"""

import atexit
import resource
import runpy
import sys
import time
from datetime import UTC, datetime, timedelta

from recall_pipeline.days import clock_replaced


def _print_peak_memory() -> None:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)


if __name__ == "__main__":
    atexit.register(_print_peak_memory)
    seconds = float(sys.argv[1])
    real_time = time.time
    time.time = lambda: real_time() + seconds
    sys.argv = sys.argv[2:]
    with clock_replaced(lambda: datetime.now(UTC) + timedelta(seconds=seconds)):
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
