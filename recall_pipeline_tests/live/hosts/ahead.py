"""Run a module on a clock that is ahead: `python -m ... SECONDS MODULE ARGUMENTS`. Its worker processes are not."""

import runpy
import sys
import time
from datetime import UTC, datetime, timedelta

from recall_pipeline.days import clock_replaced

if __name__ == "__main__":
    seconds = float(sys.argv[1])
    real_time = time.time
    time.time = lambda: real_time() + seconds
    sys.argv = sys.argv[2:]
    with clock_replaced(lambda: datetime.now(UTC) + timedelta(seconds=seconds)):
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
