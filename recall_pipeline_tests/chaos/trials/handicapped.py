"""The command line under a handicap: `python -m recall_pipeline_tests.chaos.trials.handicapped [HANDICAP] -- sync ...`.

A handicap is what a machine does to a process, or what its clock does; the command line itself runs unchanged.
"""

import argparse
import contextlib
import ctypes
import os
import resource
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from recall_pipeline.cli import main as command_line
from recall_pipeline.days import clock_replaced

_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 24, 1, 2


def main() -> None:
    """Apply the handicap, then run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--largest-file-bytes", type=int, help="the largest file size, as on a full disk")
    parser.add_argument("--heed-permissions", action="store_true", help="apply file permissions to root too")
    parser.add_argument("--clock", type=Path, help="a file that holds how many seconds the clock is ahead")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    if options.heed_permissions:
        _heed_permissions(options.command)
    if options.largest_file_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (options.largest_file_bytes, options.largest_file_bytes))
    sys.argv = ["recall-pipeline", *options.command]
    with clock_replaced(lambda: _shifted(options.clock)) if options.clock else contextlib.nullcontext():
        command_line()


def _shifted(file: Path) -> datetime:
    """Return the time that is as many seconds ahead as `file` holds."""
    return datetime.now(UTC) + timedelta(seconds=float(file.read_text() or 0))


def _heed_permissions(command: list[str]) -> None:
    """Drop the capabilities by which root ignores file permissions, and run the command."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    os.execv(sys.executable, [sys.executable, "-m", "recall_pipeline", *command])  # noqa: S606 -- this interpreter


if __name__ == "__main__":
    main()
