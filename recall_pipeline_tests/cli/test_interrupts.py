"""A sync ends when it is told to, or killed; the next one goes on from there."""

import os
import signal
import subprocess
import sys
import threading
import time

import dagster as dg
import pytest

from recall_pipeline.cli.interrupts import noticing_interrupts
from recall_pipeline_tests.cli.conftest import YESTERDAY, Run
from recall_sandbox import Rule, Sandbox
from recall_sandbox.effects import Delay

PATIENCE_SECONDS = 60


def begin_sync_that_hangs(sandbox: Sandbox) -> "subprocess.Popen[str]":
    """Start a sync in a process of its own, and return once it waits for an MP3."""
    hanging = sandbox.faults.add(Rule(Delay(PATIENCE_SECONDS), origin="media"))
    program = [sys.executable, "-m", "recall_pipeline", "sync", "--to", f"{YESTERDAY}"]
    process = subprocess.Popen(  # noqa: S603  this interpreter
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not sandbox.faults.applied(hanging):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < give_up_at
        time.sleep(0.05)
    sandbox.faults.clear()
    return process


def status_of_runs() -> list[dg.DagsterRunStatus]:
    """What became of the runs, the oldest first."""
    with dg.DagsterInstance.get() as instance:
        return [run.status for run in reversed(instance.get_runs())]


def test_ctrl_c_ends_it_with_one_line_and_the_next_goes_on(sandboxed: Run, sandbox: Sandbox) -> None:
    process = begin_sync_that_hangs(sandbox)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, out) == (130, "")
    assert err.strip() == "recall-pipeline: interrupted; what is done is kept, and the next sync goes on from there"
    assert sandboxed("sync", "--to", f"{YESTERDAY}").status == 0
    assert status_of_runs() == [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS]


def test_the_run_of_a_killed_sync_is_closed_by_the_next(sandboxed: Run, sandbox: Sandbox) -> None:
    process = begin_sync_that_hangs(sandbox)
    process.kill()
    process.communicate(timeout=PATIENCE_SECONDS)
    assert status_of_runs() == [dg.DagsterRunStatus.STARTED]
    assert sandboxed("sync", "--to", f"{YESTERDAY}").status == 0
    assert status_of_runs() == [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS]


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_another_handler_swallows_is_noticed(asked: signal.Signals) -> None:
    before = signal.signal(asked, lambda *_: None)
    try:
        with noticing_interrupts() as interrupted:
            assert not interrupted()
            os.kill(os.getpid(), asked)
            assert interrupted()
    finally:
        signal.signal(asked, before)


def test_another_signal_is_none_to_stop() -> None:
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        with noticing_interrupts() as interrupted:
            os.kill(os.getpid(), signal.SIGUSR1)
            assert not interrupted()
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_outside_the_main_thread_there_is_nothing_to_notice() -> None:
    said: list[bool] = []

    def look() -> None:
        with noticing_interrupts() as interrupted:
            said.append(interrupted())

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert said == [False]
