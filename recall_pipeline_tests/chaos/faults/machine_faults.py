"""Faults of the machine: no space, no permission, killed processes, clock jumps, concurrent runs."""

import os
import signal
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

from recall_pipeline_tests.chaos.faults.fault import Fault, always
from recall_pipeline_tests.chaos.trials import Running, Trial, workers_of
from recall_sandbox import Rule
from recall_sandbox.effects import Trickle

_TIMEOUT_SECONDS = 240
_LONG_SECONDS = 60.0
_KILLED = -signal.SIGKILL
_INTERRUPTED = 130
_SLOW = Rule(Trickle(chunk_bytes=2_000, pause_seconds=0.2), origin="media")
During = Callable[[Trial, Running], bool]


def _wait_for(condition: Callable[[], object], running: Running) -> bool:
    """Wait for a condition during a sync; False if it was never met."""
    give_up_at = time.monotonic() + _TIMEOUT_SECONDS
    while not condition():
        if running.is_over or time.monotonic() > give_up_at:
            return False
        time.sleep(0.01)
    return True


def _downloads(trial: Trial, running: Running) -> bool:
    """Wait until MP3s are being downloaded."""
    return _wait_for(lambda: trial.sandbox.faults.applied(_SLOW) > 2, running)


def _normalizes(trial: Trial, running: Running) -> bool:
    """Wait until a worker writes a normalized file."""
    return _wait_for(lambda: any(name.endswith(".flac") for name in trial.spooled()), running)


def _decodes(_: Trial, running: Running) -> bool:
    """Wait until a decoding worker runs."""
    return _wait_for(lambda: workers_of(running.pid), running)


def _kill_a_worker(moment: During) -> During:
    def kill(trial: Trial, running: Running) -> bool:
        if not moment(trial, running):
            return False
        for pid in workers_of(running.pid)[:1]:
            os.kill(pid, signal.SIGKILL)
        return True

    return kill


def _kill_all(moment: During) -> During:
    def kill(trial: Trial, running: Running) -> bool:
        reached = moment(trial, running)
        running.kill()
        return reached

    return kill


def _stop(number: signal.Signals) -> During:
    def stop(trial: Trial, running: Running) -> bool:
        reached = _downloads(trial, running)
        running.signal(number)
        return reached

    return stop


def _beside(*arguments: str) -> During:
    """Run another sync at the same time."""

    def start(trial: Trial, _: Running) -> bool:
        ended = trial.end(trial.start(*arguments), _TIMEOUT_SECONDS)
        return ended.status == 0 and not ended.has_traceback

    return start


def _the_same_recording(trial: Trial, running: Running) -> bool:
    ready = next(row.recording_id for row in trial.expected_rows() if row.outcome == "ready")
    return _beside("--recording", ready)(trial, running)


def _below_a_file(trial: Trial) -> Iterable[Rule]:
    trial.data.touch()
    return ()


def _read_only(trial: Trial) -> Iterable[Rule]:
    trial.data.mkdir()
    trial.data.chmod(0o500)
    return ()


def _home_that_is_not_new(trial: Trial) -> Iterable[Rule]:
    """Sync an empty day, so that Dagster creates its tables."""
    trial.sync("--to", f"{trial.day - timedelta(days=1)}", "--from", f"{trial.day - timedelta(days=1)}")
    return ()


def _torn_table(trial: Trial) -> Iterable[Rule]:
    _table(trial).parent.mkdir(parents=True)
    _table(trial).write_bytes(b"PAR1 and no more")
    return ()


def _no_table(trial: Trial) -> None:
    """Delete the torn table and the violations that it caused."""
    _table(trial).unlink()
    trial.violations.clear()


def _table(trial: Trial) -> Path:
    return trial.data / f"mixed_audio/day={trial.day}/mixed_audio.parquet"


def _clock(trial: Trial) -> tuple[str, ...]:
    (trial.folder / "clock").write_text("0")
    return "--clock", str(trial.folder / "clock")


def _jump(ahead: timedelta) -> During:
    def jump(trial: Trial, running: Running) -> bool:
        reached = _downloads(trial, running)
        (trial.folder / "clock").write_text(str(ahead.total_seconds()))
        return reached

    return jump


def _service_jumps(trial: Trial, running: Running) -> bool:
    reached = _downloads(trial, running)
    trial.service_clock.ahead = timedelta(days=1)
    return reached


def _largest_file(size_bytes: int) -> Callable[[Trial], tuple[str, ...]]:
    return lambda _: ("--largest-file-bytes", f"{size_bytes}")


MACHINE_FAULTS = (
    Fault("disk full for MP3s", handicap=_largest_file(500_000), talk_seconds=120, statuses=(1,), message="recording"),
    Fault("disk full for normalized files", handicap=_largest_file(1_000_000), talk_seconds=120, statuses=(1,),
          message="recording"),
    Fault("disk full for Dagster's records", _home_that_is_not_new, handicap=_largest_file(200_000), statuses=(1,),
          message="Dagster cannot write its records"),
    Fault("disk full for tables and Dagster", handicap=_largest_file(10_000), statuses=(1,)),
    Fault("storage gone: a path below a file", _below_a_file, lift=lambda trial: trial.data.unlink(), statuses=(1,),
          message="RECALL_STORAGE_URL"),
    Fault("storage read-only", _read_only, lift=lambda trial: trial.data.chmod(0o700), statuses=(1,),
          handicap=lambda _: ("--heed-permissions",), message="RECALL_STORAGE_URL"),
    Fault("a table torn by another program", _torn_table, lift=_no_table,
          statuses=(1,), message="not a readable Parquet"),
    Fault("a decoding worker killed", during=_kill_a_worker(_decodes)),
    Fault("a normalization worker killed", during=_kill_a_worker(_normalizes), talk_seconds=_LONG_SECONDS),
    Fault("all processes killed while downloading", always(_SLOW), during=_kill_all(_downloads), statuses=(_KILLED,)),
    Fault("all processes killed while decoding", during=_kill_all(_decodes), statuses=(_KILLED,)),
    Fault("all processes killed while normalizing", during=_kill_all(_normalizes), talk_seconds=_LONG_SECONDS,
          statuses=(_KILLED,)),
    Fault("Ctrl-C", always(_SLOW), during=_stop(signal.SIGINT), statuses=(_INTERRUPTED,), message="interrupted"),
    Fault("SIGTERM", always(_SLOW), during=_stop(signal.SIGTERM), statuses=(_INTERRUPTED, -signal.SIGTERM)),
    Fault("the clock jumps two days ahead", always(_SLOW), handicap=_clock, during=_jump(timedelta(days=2))),
    Fault("the clock jumps two days back", always(_SLOW), handicap=_clock, during=_jump(timedelta(days=-2))),
    Fault("Recall's clock jumps a day ahead", always(_SLOW), during=_service_jumps),
    Fault("two runs at once", always(_SLOW), during=_beside()),
    Fault("a run and one of the same recording at once", always(_SLOW), during=_the_same_recording),
)  # fmt: skip
