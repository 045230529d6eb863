"""Kill a sync at random moments: `python -m recall_pipeline_tests.chaos.kills [--times 100] [--seed N] [--json]`.

One archive, one day, slow downloads. Before each kill two meetings are new, so that there is always work; then a
random process of the running sync, or all of them, gets SIGKILL. After each kill whatever is visible on disk has to be
true, and nothing of the sync may live on. After a last sync nothing may be missing, and no stray file may be left.
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
_TELL_EVERY = 10


def _starting(_: Trial) -> Callable[[], bool]:
    return lambda: True


def _asking(trial: Trial) -> Callable[[], bool]:
    asked_before = len(trial.sandbox.access_log)
    return lambda: len(trial.sandbox.access_log) > asked_before


def _downloading(trial: Trial) -> Callable[[], bool]:
    struck_before = trial.sandbox.faults.applied(_SLOWLY)
    return lambda: trial.sandbox.faults.applied(_SLOWLY) > struck_before


def _normalizing(trial: Trial) -> Callable[[], bool]:
    return lambda: any(name.endswith(".flac") for name in trial.spooled())


_BEGINNINGS = (_starting, _asking, _downloading, _downloading, _normalizing)
"""Moments from which on the dice say how much later the kill comes; most are spent where bytes move."""


@dataclass
class Report:
    """What came of all kills; `moments`: what the sync was at when it was killed."""

    kills: int = 0
    moments: Counter[str] = field(default_factory=Counter)
    victims: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def main() -> int:
    """Kill as often as was asked for, report, and return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m recall_pipeline_tests.chaos.kills", description=__doc__)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="of the dice")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="recall-kills-") as folder:
        report = run(Path(folder), options.times, options.seed, tell=not options.json)
    if options.json:
        print(json.dumps(asdict(report)))
    else:
        print(_in_words(report))
    return int(bool(report.wrong))


def run(folder: Path, times: int, seed: int, *, tell: bool = False) -> Report:
    """Kill syncs of one archive, and hold what is left in the end against the truth."""
    dice = random.Random(seed)  # noqa: S311 -- dice, not secrets
    day = utc_now().date() - timedelta(days=1)
    report = Report()
    world = small_world(day, talks=0)
    with Sandbox(world, list_per_minute=None, object_per_minute=None, page_size=20).running() as sandbox:
        trial = Trial(folder / "trial", sandbox, day)
        sandbox.faults.add(_SLOWLY)
        while report.kills < times:
            for number in range(_NEW_MEETINGS):
                add_talk(world, day, len(world.recordings) + number)
            _kill_one(trial, dice, report)
            if tell and report.kills % _TELL_EVERY == 0:
                print(_in_words(report), flush=True)
        sandbox.faults.clear()
        last = trial.sync(bound_seconds=_BOUND_SECONDS)
        report.wrong += [f"the last sync ended with status {last.status}: {last.err}"] * (last.status != 0)
        report.wrong += trial.shortfalls()
        report.wrong += [f"printed: {said.err}" for said in trial.said if said.has_traceback]
        report.wrong += trial.false
    return report


def _kill_one(trial: Trial, dice: random.Random, report: Report) -> None:
    began = dice.choice(_BEGINNINGS)(trial)
    running = trial.start()
    _wait_until(lambda: began() or running.is_over, _BOUND_SECONDS)
    time.sleep(dice.uniform(0, _LATER_SECONDS))
    processes = running.processes()
    if running.is_over or not processes:
        trial.end(running, _BOUND_SECONDS)
        return
    report.kills += 1
    report.moments[_moment(trial)] += 1
    victims = processes if dice.random() < 0.4 else [dice.choice(processes)]
    report.victims["all" if victims is processes else "the sync" if victims == [running.pid] else "one of its own"] += 1
    for victim in victims:
        _kill(victim)
    report.wrong += [f"kill {report.kills}: {lie}" for lie in trial.look()]
    if _wait_until(lambda: running.is_over, _BOUND_SECONDS):
        left = running.outliving(_OUTLIVES_SECONDS)
        report.wrong += [f"kill {report.kills}: {len(left)} processes outlived their sync"] * bool(left)
    ended = trial.end(running, bound_seconds=1)
    if ended.status is None:
        report.wrong.append(f"kill {report.kills}: the sync hung")


def _moment(trial: Trial) -> str:
    """Say what a sync is at, by what lies in the spool."""
    spooled = trial.spooled()
    if any(name.endswith(".flac") for name in spooled):
        return "normalizing"
    return "downloading" if any(".part" in name for name in spooled) else "in between"


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:  # it ended in this moment
        return


def _wait_until(happened: Callable[[], bool], bound_seconds: float) -> bool:
    give_up_at = time.monotonic() + bound_seconds
    while not happened():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.02)
    return True


def _in_words(report: Report) -> str:
    moments = ", ".join(f"{count} {moment}" for moment, count in report.moments.most_common())
    victims = ", ".join(f"{count} of {victim}" for victim, count in report.victims.most_common())
    wrong = "\n".join(f"  {line}" for line in report.wrong) or "  nothing was wrong"
    return f"{report.kills} kills ({victims}), while {moments}:\n{wrong}"


if __name__ == "__main__":
    sys.exit(main())
