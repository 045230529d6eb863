"""The process pool: results as they complete, failures isolated to their task."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from recall_pipeline.audio import Done, Target, Worker, normalize, run_tasks, time_limit_seconds
from recall_pipeline.errors import WorkerNotStarted
from recall_pipeline_tests.audio.sounds import speech, write_mp3
from recall_pipeline_tests.open_files import no_more_files

TIMEOUT_SECONDS = 60


def double(number: int) -> int:
    return 2 * number


def fail_on_three(number: int) -> int:
    if number == 3:
        raise ValueError("three")
    return number


def die_on_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def create_file(path: Path) -> None:
    path.write_text("ran")
    time.sleep(0.05)


def blas_thread_count(_: int) -> str | None:
    return os.environ.get("OPENBLAS_NUM_THREADS")


def ignores_ctrl_c(_: int) -> bool:
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def to_flac(source: Path) -> float | None:
    return normalize(source, source.with_suffix(".flac"), Target()).audio_lufs


def test_every_task_is_completed_and_reported() -> None:
    reported: list[Done[int, int]] = []
    done = list(run_tasks(double, range(20), workers=2, on_done=reported.append))
    assert sorted((each.task, each.result) for each in done) == [(n, 2 * n) for n in range(20)]
    assert reported == done


def test_a_low_limit_of_open_files_is_named_and_fails_every_task() -> None:
    with no_more_files():
        done = list(run_tasks(double, range(3), workers=2))
    assert [each.result for each in done] == [None] * 3
    assert all("Too many open files" in str(each.error) and "ulimit -n" in str(each.error) for each in done)


def test_a_worker_starts_once_files_can_be_opened_again() -> None:
    worker = Worker()
    with no_more_files(), pytest.raises(WorkerNotStarted):
        worker.submit(double, 2)
    try:
        assert worker.submit(double, 2).result(TIMEOUT_SECONDS) == 4
    finally:
        worker.close()


def test_a_task_that_raises_fails_alone() -> None:
    done = {each.task: each for each in run_tasks(fail_on_three, range(6), workers=2)}
    assert isinstance(done[3].error, ValueError)
    assert [done[n].result for n in (0, 1, 2, 4, 5)] == [0, 1, 2, 4, 5]


def test_a_task_that_kills_its_worker_fails_alone() -> None:
    done = {each.task: each for each in run_tasks(die_on_three, range(6), workers=2)}
    assert "killed" in str(done[3].error)
    assert [done[n].result for n in (0, 1, 2, 4, 5)] == [0, 1, 2, 4, 5]


def note_and_die_on_three(task: tuple[Path, int]) -> int:
    folder, number = task
    (folder / f"{number} {os.getpid()}").touch()
    time.sleep(0.02)
    return die_on_three(number)


def test_after_a_killed_worker_only_its_task_is_tried_again_and_alone(tmp_path: Path) -> None:
    done = {
        each.task[1]: each for each in run_tasks(note_and_die_on_three, [(tmp_path, n) for n in range(20)], workers=2)
    }
    assert [number for number, each in done.items() if each.error] == [3]
    tries = [path.name.split()[0] for path in tmp_path.iterdir()]
    assert sorted(tries, key=int) == [*map(str, range(4)), "3", *map(str, range(4, 20))]
    assert (
        len({path.name.split()[1] for path in tmp_path.iterdir()}) == 4
    )  # two workers, one in place of the killed, one alone


def hang_on_three(number: int) -> int:
    while number == 3:
        time.sleep(60)
    return number


def test_a_task_that_hangs_is_killed_and_fails_alone() -> None:
    tasks = [3, *range(3), *range(4, 7)]
    done = {
        each.task: each for each in run_tasks(hang_on_three, tasks, workers=2, limit=lambda n: 2 if n == 3 else 600)
    }
    assert "it took longer than 2 s, so its process was ended" in str(done[3].error)
    assert {number: each.result for number, each in done.items() if number != 3} == {n: n for n in tasks if n != 3}


def test_a_task_that_hangs_leaves_no_process(tmp_path: Path) -> None:
    [done] = run_tasks(note_and_hang, [tmp_path], limit=lambda _: 2)
    assert done.error
    [process] = tmp_path.iterdir()
    assert not is_running(int(process.name))


def note_and_hang(folder: Path) -> None:
    (folder / f"{os.getpid()}").touch()
    time.sleep(600)


def test_an_executor_whose_tasks_all_hang_is_given_up() -> None:
    released = threading.Event()
    with ThreadPoolExecutor(1) as executor:
        done = list(run_tasks(lambda _: released.wait(60), [1, 2], executor=executor, limit=lambda _: 0.1))
        released.set()
    assert all("it took longer than" in str(each.error) for each in done)
    assert len(done) == 2


def test_a_limit_grows_with_the_length_and_the_size_of_a_file() -> None:
    assert time_limit_seconds(None) == time_limit_seconds(0, 0) == 120
    assert time_limit_seconds(16_000 * 3600) == time_limit_seconds(1000, 3600) == 3720


def test_closing_the_iterator_cancels_pending_tasks(tmp_path: Path) -> None:
    tasks = [tmp_path / f"{number}" for number in range(40)]
    running = run_tasks(create_file, tasks, workers=1)
    next(running)
    running.close()
    started = len(list(tmp_path.iterdir()))
    assert started < 10
    assert len(list(tmp_path.iterdir())) == started


def test_a_given_executor_is_used_and_stays_open() -> None:
    with ThreadPoolExecutor(2) as executor:
        done = list(run_tasks(double, [1, 2], executor=executor))
        assert sorted(each.result for each in done if each.result) == [2, 4]
        assert executor.submit(double, 4).result() == 8


def test_an_empty_list_of_tasks_gives_no_results() -> None:
    assert list(run_tasks(double, [], workers=4)) == []


def test_a_worker_uses_one_blas_thread() -> None:
    assert [done.result for done in run_tasks(blas_thread_count, [0], workers=1)] == ["1"]


def test_a_worker_ignores_ctrl_c() -> None:
    assert [done.result for done in run_tasks(ignores_ctrl_c, [0], workers=1)] == [True]


def test_a_worker_ends_when_its_parent_process_is_killed() -> None:
    program = (
        "import os, signal\n"
        "from recall_pipeline.audio import Worker\n"
        "print(Worker().submit(os.getpid).result(), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603
    assert killed.returncode == -signal.SIGKILL
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while is_running(int(killed.stdout)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(process: int) -> bool:
    """Return whether a process is running; a zombie is not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_files_are_normalized_in_parallel(tmp_path: Path) -> None:
    sources = [write_mp3(tmp_path / f"{name}.mp3", speech([name])) for name in ("risk", "numbers", "answer")]
    done = list(run_tasks(to_flac, sources, workers=2))
    assert {each.task for each in done} == set(sources)
    assert all(each.result == pytest.approx(-16, abs=0.3) for each in done)


@pytest.mark.parametrize("stop_signal", ["SIGINT", "SIGTERM"])
def test_an_interrupt_while_a_worker_starts_leaves_no_process_to_wait_for(stop_signal: str) -> None:
    program = f"""
import multiprocessing.context, signal, time
from recall_pipeline.audio import run_tasks

start = multiprocessing.context.SpawnProcess.start

def start_and_interrupt(process):
    start(process)
    time.sleep(0.5)  # the process waits for its first task now
    signal.raise_signal(signal.{stop_signal})

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    multiprocessing.context.SpawnProcess.start = start_and_interrupt
    try:
        list(run_tasks(abs, [1, 2], workers=2))
    except KeyboardInterrupt:
        print("interrupted")
"""
    ended = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=TIMEOUT_SECONDS
    )
    assert (ended.stdout, ended.stderr) == ("interrupted\n", "")
