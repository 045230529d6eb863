"""Kill a sync at random moments: `python -m recall_pipeline_tests.chaos.kills [--times 100] [--seed N] [--json]`.

One archive, one day, slow downloads. Before each kill two meetings are added, so that there is always work; then a
random process of the running sync, or all of them, gets SIGKILL. After each kill the visible files must be valid, and
no process of the sync may survive. After a last sync the archive must be complete, without stray files.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path

from recall_pipeline.days import utc_now
from recall_pipeline_tests.chaos.trials import Trial, add_talk, small_world
from recall_sandbox import Rule, Sandbox
from recall_sandbox.effects import Trickle

_NEW_MEETINGS = 2
_BOUND_SECONDS = 180.0
_OUTLIVES_SECONDS = 30.0
_SLOWLY = Rule(Trickle(chunk_bytes=4_000, pause_seconds=0.15), origin="media")
_LATER_SECONDS = 3.0
_REPORT_EVERY = 10


def _starting(_: Trial) -> Callable[[], bool]:
    return lambda: True


def _asking(trial: Trial) -> Callable[[], bool]:
    asked_before = len(trial.sandbox.access_log)
    return lambda: len(trial.sandbox.access_log) > asked_before


def _downloading(trial: Trial) -> Callable[[], bool]:
    applied_before = trial.sandbox.faults.applied(_SLOWLY)
    return lambda: trial.sandbox.faults.applied(_SLOWLY) > applied_before


def _normalizing(trial: Trial) -> Callable[[], bool]:
    return lambda: any(name.endswith(".flac") for name in trial.spooled())


_BEGINNINGS = (_starting, _asking, _downloading, _downloading, _normalizing)
"""Moments after which a kill follows at a random time; most are while bytes are transferred."""


@dataclass
class Report:
    """The results of all kills; `moments`: the work of the sync when it was killed."""

    kills: int = 0
    moments: Counter[str] = field(default_factory=Counter)
    victims: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def main() -> int:
    """Kill `--times` syncs, report, and return 1 for any error."""
    parser = argparse.ArgumentParser(prog="python -m recall_pipeline_tests.chaos.kills", description=__doc__)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="recall-kills-") as folder:
        report = run(Path(folder), options.times, options.seed, verbose=not options.json)
    if options.json:
        print(json.dumps(asdict(report)))
    else:
        print(_summary(report))
    return int(bool(report.wrong))


def run(folder: Path, times: int, seed: int, *, verbose: bool = False) -> Report:
    """Kill syncs of one archive, and compare the final archive with the expected rows."""
    rng = random.Random(seed)  # noqa: S311 -- not for secrets
    day = utc_now().date() - timedelta(days=1)
    report = Report()
    world = small_world(day, talks=0)
    with Sandbox(world, list_per_minute=None, object_per_minute=None, page_size=20).running() as sandbox:
        trial = Trial(folder / "trial", sandbox, day)
        sandbox.faults.add(_SLOWLY)
        while report.kills < times:
            for number in range(_NEW_MEETINGS):
                add_talk(world, day, len(world.recordings) + number)
            _kill_one(trial, rng, report)
            if verbose and report.kills % _REPORT_EVERY == 0:
                print(_summary(report), flush=True)
        sandbox.faults.clear()
        last = trial.sync(bound_seconds=_BOUND_SECONDS)
        report.wrong += [f"the last sync ended with status {last.status}: {last.err}"] * (last.status != 0)
        report.wrong += trial.shortfalls()
        report.wrong += [f"printed: {result.err}" for result in trial.results if result.has_traceback]
        report.wrong += trial.violations
    return report


def _kill_one(trial: Trial, rng: random.Random, report: Report) -> None:
    began = rng.choice(_BEGINNINGS)(trial)
    running = trial.start()
    _wait_until(lambda: began() or running.is_over, _BOUND_SECONDS)
    time.sleep(rng.uniform(0, _LATER_SECONDS))
    processes = running.processes()
    if running.is_over or not processes:
        trial.end(running, _BOUND_SECONDS)
        return
    report.kills += 1
    report.moments[_moment(trial)] += 1
    victims = processes if rng.random() < 0.4 else [rng.choice(processes)]
    report.victims["all" if victims is processes else "the sync" if victims == [running.pid] else "one of its own"] += 1
    for victim in victims:
        _kill(victim)
    report.wrong += [f"kill {report.kills}: {violation}" for violation in trial.look()]
    if _wait_until(lambda: running.is_over, _BOUND_SECONDS):
        left = running.outliving(_OUTLIVES_SECONDS)
        report.wrong += [f"kill {report.kills}: {len(left)} processes outlived their sync"] * bool(left)
    ended = trial.end(running, bound_seconds=1)
    if ended.status is None:
        report.wrong.append(f"kill {report.kills}: the sync hung")


def _moment(trial: Trial) -> str:
    """Return the work of a sync, by the files in the staging folder."""
    spooled = trial.spooled()
    if any(name.endswith(".flac") for name in spooled):
        return "normalizing"
    return "downloading" if any(".part" in name for name in spooled) else "in between"


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:  # it ended in this moment
        return


def _wait_until(condition: Callable[[], bool], bound_seconds: float) -> bool:
    give_up_at = time.monotonic() + bound_seconds
    while not condition():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.02)
    return True


def _summary(report: Report) -> str:
    moments = ", ".join(f"{count} {moment}" for moment, count in report.moments.most_common())
    victims = ", ".join(f"{count} of {victim}" for victim, count in report.victims.most_common())
    wrong = "\n".join(f"  {line}" for line in report.wrong) or "  no errors"
    return f"{report.kills} kills ({victims}), while {moments}:\n{wrong}"


if __name__ == "__main__":
    sys.exit(main())
