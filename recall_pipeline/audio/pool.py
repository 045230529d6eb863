"""One file a task, a process a worker: results as they come, and what breaks breaks alone.

A worker that is killed (by the system when memory runs out, say) breaks every task that was
waiting in its pool. Those are tried again, each in a pool of its own, so that only the guilty one
is reported as broken.
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

_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Done(Generic[T, R]):
    """A task that ended: with a result, or with the error that it raised or that killed it."""

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
    """Run a picklable function on every task and yield each as it ends.

    Closing the iterator cancels: what waits is not started, what runs ends first. An `executor`
    (a Dask client's, say) is used instead of local processes and left open.
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
            yield Done(task, None, _killed()) if isinstance(done.error, BrokenProcessPool) else done


def _killed() -> NormalizationError:
    return NormalizationError("the worker process was killed at this task, as happens when memory runs out")


def _collect(executor: Executor, function: Callable[[T], R], tasks: Sequence[T]) -> Iterator[Done[T, R]]:
    waiting: dict[Future[R], T] = {executor.submit(function, task): task for task in tasks}
    try:
        for future in as_completed(waiting):
            yield _done(waiting.pop(future), future)
    finally:
        for future in waiting:
            future.cancel()


def _done(task: T, future: Future[R]) -> Done[T, R]:
    error = future.exception()
    return Done(task, None if error else future.result(), error)


def worker_processes(count: int) -> ProcessPoolExecutor:
    """Return a pool whose processes leave Ctrl-C to the one that started them, and never outlive it."""
    # spawn, never fork: the caller may hold threads (gRPC) whose locks a fork would copy.
    return ProcessPoolExecutor(max(1, count), multiprocessing.get_context("spawn"), initializer=_start_worker)


@contextmanager
def _open_pool(workers: int) -> Iterator[Executor]:
    pool = worker_processes(workers)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start_worker() -> None:
    os.environ.update(_ONE_THREAD)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End at once when the parent was killed: nobody else would ever tell an idle worker to."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
