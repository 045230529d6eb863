"""A process pool: one file per task, results as they complete, failures isolated to their task.

A worker that is killed, for example when memory runs out, breaks all pending tasks of its pool. Those
are retried, each in a pool of its own, so only the task that kills its worker is reported as failed.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from recall_pipeline.errors import NormalizationError

T = TypeVar("T")
R = TypeVar("R")

_SINGLE_THREADED = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Done(Generic[T, R]):
    """A completed task: its result, or the error that it raised or that killed its worker."""

    task: T
    result: R | None
    error: BaseException | None


def run_tasks(
    function: Callable[[T], R],
    tasks: Sequence[T],
    *,
    workers: int = 1,
    executor: Executor | None = None,
    on_done: Callable[[Done[T, R]], None] | None = None,
) -> Generator[Done[T, R], None, None]:
    """Run a picklable function on each task and yield each task as it completes.

    `on_done` is called with each completed task as well. Closing the iterator cancels pending tasks
    and waits for running ones. If an `executor` is given (for example a Dask client's), it is used
    instead of local processes and stays open. Errors of a task are in its `Done`, never raised.
    """
    for done in _run(function, tasks, workers, executor):
        if on_done is not None:
            on_done(done)
        yield done


def _run(
    function: Callable[[T], R], tasks: Sequence[T], workers: int, executor: Executor | None
) -> Iterator[Done[T, R]]:
    if executor is not None:
        yield from _collect(executor, function, tasks)
        return
    broken: list[T] = []
    with _open_pool(min(workers, len(tasks))) as pool:
        for done in _collect(pool, function, tasks):
            if isinstance(done.error, BrokenProcessPool):
                broken.append(done.task)
            else:
                yield done
    for task in broken:
        with _open_pool(1) as pool:
            (done,) = _collect(pool, function, [task])
            yield Done(task, None, _killed_error()) if isinstance(done.error, BrokenProcessPool) else done


def _killed_error() -> NormalizationError:
    return NormalizationError(
        "the worker process was killed during this task: check that the machine has enough memory"
    )


def _collect(executor: Executor, function: Callable[[T], R], tasks: Sequence[T]) -> Iterator[Done[T, R]]:
    pending: dict[Future[R], T] = {executor.submit(function, task): task for task in tasks}
    try:
        for future in as_completed(pending):
            yield _done(pending.pop(future), future)
    finally:
        for future in pending:
            future.cancel()


def _done(task: T, future: Future[R]) -> Done[T, R]:
    error = future.exception()
    return Done(task, None if error else future.result(), error)


def worker_processes(count: int) -> ProcessPoolExecutor:
    """Return a pool of `count` processes that ignore Ctrl-C and end when their parent process ends."""
    # spawn, never fork: a fork would copy locks held by the caller's threads (gRPC).
    return ProcessPoolExecutor(max(1, count), multiprocessing.get_context("spawn"), initializer=_start_worker)


@contextmanager
def _open_pool(workers: int) -> Iterator[Executor]:
    pool = worker_processes(workers)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


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
