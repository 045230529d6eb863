"""A sync stops at a signal or a kill; the next one resumes from there."""

import os
import signal
import subprocess
import sys
import threading
import time

import dagster as dg
import pytest

from recall_pipeline.cli.interrupts import detect_interrupts
from recall_pipeline_tests.cli.conftest import YESTERDAY, Run
from recall_sandbox import Rule, Sandbox
from recall_sandbox.effects import Delay

PATIENCE_SECONDS = 60


def start_hanging_sync(sandbox: Sandbox) -> "subprocess.Popen[str]":
    """Start a sync in a process of its own, and return when it waits for an MP3."""
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
    """The status of each run, oldest first."""
    with dg.DagsterInstance.get() as instance:
        return [run.status for run in reversed(instance.get_runs())]


def test_ctrl_c_ends_it_with_one_line_and_the_next_sync_completes(sandboxed: Run, sandbox: Sandbox) -> None:
    process = start_hanging_sync(sandbox)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, out) == (130, "")
    assert err.strip() == "recall-pipeline: interrupted; completed work is kept, and the next sync resumes from there"
    assert sandboxed("sync", "--to", f"{YESTERDAY}").status == 0
    assert status_of_runs() == [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS]


def test_the_run_of_a_killed_sync_is_closed_by_the_next_sync(sandboxed: Run, sandbox: Sandbox) -> None:
    process = start_hanging_sync(sandbox)
    process.kill()
    process.communicate(timeout=PATIENCE_SECONDS)
    assert status_of_runs() == [dg.DagsterRunStatus.STARTED]
    assert sandboxed("sync", "--to", f"{YESTERDAY}").status == 0
    assert status_of_runs() == [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS]


@pytest.mark.parametrize("stop_signal", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_signal_that_another_handler_takes_is_detected(stop_signal: signal.Signals) -> None:
    before = signal.signal(stop_signal, lambda *_: None)
    try:
        with detect_interrupts() as interrupted:
            assert not interrupted()
            os.kill(os.getpid(), stop_signal)
            assert interrupted()
    finally:
        signal.signal(stop_signal, before)


def test_another_signal_is_not_a_stop_signal() -> None:
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        with detect_interrupts() as interrupted:
            os.kill(os.getpid(), signal.SIGUSR1)
            assert not interrupted()
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_outside_the_main_thread_no_signal_is_detected() -> None:
    detected: list[bool] = []

    def check() -> None:
        with detect_interrupts() as interrupted:
            detected.append(interrupted())

    thread = threading.Thread(target=check)
    thread.start()
    thread.join()
    assert detected == [False]
