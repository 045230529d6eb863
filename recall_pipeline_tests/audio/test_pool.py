"""The pool: results as they come, and what breaks breaks alone."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from recall_pipeline.audio import Done, Target, normalize, run_tasks
from recall_pipeline_tests.audio.sounds import speech, write_mp3

PATIENCE_SECONDS = 60


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


def leave_a_mark(path: Path) -> None:
    path.write_text("ran")
    time.sleep(0.05)


def threads_of_algebra(_: int) -> str | None:
    return os.environ.get("OPENBLAS_NUM_THREADS")


def what_ctrl_c_does(_: int) -> bool:
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def to_flac(source: Path) -> float | None:
    return normalize(source, source.with_suffix(".flac"), Target()).audio_lufs


def test_every_task_is_done_and_told_of() -> None:
    reported: list[Done[int, int]] = []
    done = list(run_tasks(double, range(20), workers=2, on_done=reported.append))
    assert sorted((each.task, each.result) for each in done) == [(n, 2 * n) for n in range(20)]
    assert reported == done


def test_a_task_that_raises_costs_only_itself() -> None:
    done = {each.task: each for each in run_tasks(fail_on_three, range(6), workers=2)}
    assert isinstance(done[3].error, ValueError)
    assert [done[n].result for n in (0, 1, 2, 4, 5)] == [0, 1, 2, 4, 5]


def test_a_worker_that_is_killed_costs_only_its_task() -> None:
    done = {each.task: each for each in run_tasks(die_on_three, range(6), workers=2)}
    assert "killed" in str(done[3].error)
    assert [done[n].result for n in (0, 1, 2, 4, 5)] == [0, 1, 2, 4, 5]


def test_closing_the_iterator_starts_no_more(tmp_path: Path) -> None:
    tasks = [tmp_path / f"{number}" for number in range(40)]
    running = run_tasks(leave_a_mark, tasks, workers=1)
    next(running)
    running.close()
    started = len(list(tmp_path.iterdir()))
    assert started < 10
    assert len(list(tmp_path.iterdir())) == started


def test_an_executor_of_the_callers_is_used_and_left_open() -> None:
    with ThreadPoolExecutor(2) as executor:
        done = list(run_tasks(double, [1, 2], executor=executor))
        assert sorted(each.result for each in done if each.result) == [2, 4]
        assert executor.submit(double, 4).result() == 8


def test_no_tasks_are_no_work() -> None:
    assert list(run_tasks(double, [], workers=4)) == []


def test_a_worker_does_not_split_its_algebra_among_threads() -> None:
    assert [done.result for done in run_tasks(threads_of_algebra, [0], workers=1)] == ["1"]


def test_a_worker_leaves_ctrl_c_to_the_process_that_started_it() -> None:
    assert [done.result for done in run_tasks(what_ctrl_c_does, [0], workers=1)] == [True]


def test_no_worker_outlives_the_process_that_started_it() -> None:
    program = (
        "import os, signal\n"
        "from recall_pipeline.audio import worker_processes\n"
        "print(worker_processes(1).submit(os.getpid).result(), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603
    assert killed.returncode == -signal.SIGKILL
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while is_running(int(killed.stdout)):
        assert time.monotonic() < give_up_at
        time.sleep(0.05)


def is_running(process: int) -> bool:
    """Whether a process works on; one that ended may wait to be buried by whoever inherited it."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_files_are_normalized_side_by_side(tmp_path: Path) -> None:
    sources = [write_mp3(tmp_path / f"{name}.mp3", speech([name])) for name in ("risk", "numbers", "answer")]
    done = list(run_tasks(to_flac, sources, workers=2))
    assert {each.task for each in done} == set(sources)
    assert all(each.result == pytest.approx(-16, abs=0.3) for each in done)
