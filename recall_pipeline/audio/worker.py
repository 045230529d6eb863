"""A worker: one process that runs one task at a time, and can be killed without harm to other workers."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import ParamSpec, TypeVar

from recall_pipeline.audio.delayed_interrupts import delayed_interrupts
from recall_pipeline.errors import MORE_HANDLES, WorkerNotStarted, is_out_of_handles

P = ParamSpec("P")
R = TypeVar("R")

_SINGLE_THREADED = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
_BASE_SECONDS = 120.0  # for the start of the process and the slowest disk
_BYTES_PER_SECOND = 16_000  # real time at 128 kbit/s; decoding takes about a hundredth of it


def time_limit_seconds(size_bytes: int | None, duration_seconds: float | None = None) -> float:
    """Return how long a task on a file may take: two minutes more than playing it, seconds."""
    return _BASE_SECONDS + max((size_bytes or 0) / _BYTES_PER_SECOND, duration_seconds or 0.0)


class Worker:
    """A process that starts with its first task, ignores Ctrl-C, and ends when its parent process ends.

    A future ends with BrokenProcessPool if the process was killed; the next task starts another process.
    """

    def __init__(self) -> None:
        self._process: ProcessPoolExecutor | None = None

    def submit(self, function: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> "Future[R]":
        """Run a picklable function; submit the next one when this one has ended. Raises WorkerNotStarted."""
        try:
            with delayed_interrupts():
                with contextlib.suppress(BrokenProcessPool):
                    if self._process is not None:
                        return self._process.submit(function, *arguments, **options)
                self.close(wait=False)
                self._process = _one_process()
                return self._process.submit(function, *arguments, **options)
        except OSError as error:
            self.close(wait=False)
            reason = f"cannot start a worker process ({os.strerror(error.errno or 0)})"
            action = MORE_HANDLES if is_out_of_handles(error) else "check the limits of processes and memory"
            raise WorkerNotStarted(f"{reason}: {action}") from None

    def kill(self) -> None:
        """End the process at once, whatever it does."""
        # Public from Python 3.14 on, as ProcessPoolExecutor.kill_workers.
        for process in list(((self._process and self._process._processes) or {}).values()):
            process.kill()

    def close(self, *, wait: bool = True) -> None:
        """End the process; with `wait`, return after its task has ended."""
        if self._process is not None:
            self._process.shutdown(wait=wait, cancel_futures=True)
            self._process = None


def _one_process() -> ProcessPoolExecutor:
    # spawn, never fork: a fork would copy locks held by the caller's threads (gRPC).
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=_start_worker)


def _start_worker() -> None:
    os.environ.update(_SINGLE_THREADED)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Exit when the parent process is killed: an idle worker would otherwise wait forever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
