"""A pool of workers: one file per task, results as they complete, failures isolated to their task.

Each worker has one task at a time. So a worker that is killed, for example when memory runs out, breaks one task. That
task is retried alone, after all others. A task that takes longer than its limit is killed and not retried.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from recall_pipeline.audio.worker import Worker
from recall_pipeline.errors import NormalizationError, WorkerNotStarted

T = TypeVar("T")
R = TypeVar("R")
Limit = Callable[[T], float]
"""How long a task may run, seconds."""


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
    limit: Limit[T] | None = None,
    on_done: Callable[[Done[T, R]], None] | None = None,
) -> Generator[Done[T, R], None, None]:
    """Run a picklable function on each task and yield each task as it completes.

    `limit` bounds the seconds of a task. `on_done` is called with each completed task as well. Closing the iterator
    cancels pending tasks and waits for running ones. If an `executor` is given (for example a Dask client's), it is
    used instead of local processes and stays open. Errors of a task are in its `Done`, never raised.
    """
    for done in _run(function, tasks, workers, executor, limit or _no_limit):
        if on_done is not None:
            on_done(done)
        yield done


def _run(
    function: Callable[[T], R], tasks: Sequence[T], workers: int, executor: Executor | None, limit: Limit[T]
) -> Iterator[Done[T, R]]:
    if executor is not None:
        yield from _collect(executor, function, tasks, limit)
        return
    killed: list[T] = []
    for done in _run_local(function, tasks, workers, limit):
        if isinstance(done.error, BrokenProcessPool):
            killed.append(done.task)
        else:
            yield done
    for task in killed:
        (done,) = _run_local(function, [task], 1, limit)
        yield Done(task, None, _killed_error()) if isinstance(done.error, BrokenProcessPool) else done


def _run_local(function: Callable[[T], R], tasks: Sequence[T], workers: int, limit: Limit[T]) -> Iterator[Done[T, R]]:
    started = [Worker() for _ in range(min(max(1, workers), len(tasks)))]
    pool: _Pool[T, R] = _Pool(function, limit, deque(tasks), started)
    try:
        while pool.start_waiting():
            yield from pool.wait()
            pool.kill_late()
    finally:
        pool.close()


@dataclass(slots=True)
class _Started(Generic[T]):
    task: T
    worker: Worker
    limit_seconds: float
    started_at: float
    is_late: bool = False

    @property
    def seconds_left(self) -> float:
        return self.started_at + self.limit_seconds - time.monotonic()


@dataclass(slots=True)
class _Pool(Generic[T, R]):
    """Free workers, waiting tasks, and running tasks by their futures."""

    function: Callable[[T], R]
    limit: Limit[T]
    waiting: deque[T]
    workers: list[Worker]
    free: list[Worker] = field(init=False)
    running: dict["Future[R]", _Started[T]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.free = list(self.workers)

    def start_waiting(self) -> bool:
        """Give each free worker a task, and return whether any task is running."""
        while self.free and self.waiting:
            worker, task = self.free.pop(), self.waiting.popleft()
            started = _Started(task, worker, self.limit(task), time.monotonic())
            self.running[_submitted(worker, self.function, task)] = started
        return bool(self.running)

    def wait(self) -> Iterator[Done[T, R]]:
        """Wait until a task has ended or is late, and yield what has ended."""
        in_time = [started.seconds_left for started in self.running.values() if not started.is_late]
        ended, _ = wait(self.running, _timeout(in_time), FIRST_COMPLETED)
        for future in ended:
            started = self.running.pop(future)
            self.free.append(started.worker)
            is_killed = isinstance(future.exception(), BrokenProcessPool) and started.is_late
            yield (
                Done(started.task, None, _late_error(started.limit_seconds))
                if is_killed
                else _done(started.task, future)
            )

    def kill_late(self) -> None:
        """Kill each worker whose task is late; its future ends then."""
        for future, started in self.running.items():
            if started.seconds_left <= 0 and not started.is_late and not future.done():
                started.is_late = True
                started.worker.kill()

    def close(self) -> None:
        """End all workers, after their tasks; a late one is killed already."""
        for worker in self.workers:
            worker.close()


def _submitted(worker: Worker, function: Callable[[T], R], task: T) -> "Future[R]":
    """Return the future of a task; one that has failed if no process could be started for it."""
    try:
        return worker.submit(function, task)
    except WorkerNotStarted as error:
        failed: Future[R] = Future()
        failed.set_exception(error)
        return failed


def _collect(
    executor: Executor, function: Callable[[T], R], tasks: Sequence[T], limit: Limit[T]
) -> Iterator[Done[T, R]]:
    """Yield each task of an executor that starts tasks when it likes: when one began is not known.

    All that is left is given up when no task has ended within the longest limit of those that are left.
    """
    pending: dict[Future[R], T] = {executor.submit(function, task): task for task in tasks}
    try:
        while pending:
            longest = max(map(limit, pending.values()))
            ended, _ = wait(pending, _timeout([longest]), FIRST_COMPLETED)
            for future in ended:
                yield _done(pending.pop(future), future)
            if not ended:
                yield from (Done(task, None, _late_error(longest)) for task in pending.values())
                return
    finally:
        for future in pending:
            future.cancel()


def _done(task: T, future: "Future[R]") -> Done[T, R]:
    error = future.exception()
    return Done(task, None if error else future.result(), error)


def _no_limit(_: object) -> float:
    return float("inf")


def _timeout(seconds: Iterable[float]) -> float | None:
    """Return how long to wait for the first of some limits; None: for ever."""
    shortest = min(seconds, default=float("inf"))
    return None if shortest == float("inf") else max(0.0, shortest)


def _killed_error() -> NormalizationError:
    return NormalizationError(
        "the worker process was killed during this task: check that the machine has enough memory"
    )


def _late_error(limit_seconds: float) -> NormalizationError:
    return NormalizationError(
        f"it took longer than {limit_seconds:.0f} s, so its process was ended: the next sync tries again"
    )
