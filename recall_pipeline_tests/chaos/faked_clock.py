"""The command line on a faked clock: `python -m recall_pipeline_tests.chaos.faked_clock [--library FILE] [--json]`.

Every process runs under libfaketime, which moves the time of everything in it: Python, Arrow, Dagster, SQLite. The
sandbox shows the same time. Nightly syncs, 12 days of standstill, and nightly syncs again: no day may be missing.
Then damaged files, and a large day whose sync is killed twice. Needs the library, which Debian has as the package
`libfaketime`; without it the script ends with status 2.
"""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from recall_pipeline.days import days_between, utc_now
from recall_pipeline_tests.chaos.trials import Archived, Ended, Running, Trial, add_talk
from recall_sandbox import Sandbox, World
from recall_sandbox.speech import Speech

_PLACES = ("/usr/lib", "/usr/lib64", "/usr/local/lib")
_NAME = "libfaketime.so.1"
_STANDSTILL_DAYS, _LATE_DAYS, _TALKS = 12, 10, 2
_BOUND_SECONDS = 900.0
_LARGE_DAY, _IN_FLIGHT = 40, 1  # recordings; a file for each worker


@dataclass
class Check:
    """An archive whose commands run some days ahead; `wrong` has every fault that was found."""

    trial: Trial
    library: Path
    world: World
    first: date
    wrong: list[str] = field(default_factory=list)

    def turn_to(self, days: int) -> None:
        """Let `days` days have passed since the first night."""
        self.trial.service_clock.ahead = timedelta(days=days)

    def run(self, *arguments: str) -> Ended:
        """Run a command at the present time of the check."""
        return self.start(*arguments).wait(_BOUND_SECONDS)

    def start(self, *arguments: str) -> Running:
        """Start a command at the present time of the check."""
        ahead = self.trial.service_clock.ahead
        environment = self.trial.environment(
            LD_PRELOAD=str(self.library), FAKETIME=f"+{ahead.days}d", FAKETIME_DONT_FAKE_MONOTONIC="1"
        )
        output = self.trial.folder / f"{arguments[0]}-{ahead.days}"
        return Running([sys.executable, "-m", "recall_pipeline", *arguments], environment, output)

    def expect(self, what: str, ended: Ended, status: int, message: str = "") -> None:
        """Record a command that did not end with `status`, or does not show `message`."""
        if ended.status != status or message not in ended.out + ended.err or ended.has_traceback:
            self.wrong.append(f"{what}: status {ended.status}, {(ended.err or ended.out).strip()[-400:]}")

    def meet(self, day: date) -> None:
        """Add the meetings of a day; the last is not finished yet on the first day."""
        number = (day - self.first).days * 10
        for talk in range(_TALKS):
            add_talk(self.world, day, number + talk, 1)


def main() -> int:
    """Run the check, print what was wrong, and return 1 for anything, or 2 without the library."""
    parser = argparse.ArgumentParser(prog="python -m recall_pipeline_tests.chaos.faked_clock", description=__doc__)
    parser.add_argument("--library", type=Path, help=f"{_NAME}; found by itself if it is installed")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    library = options.library or installed_library()
    if library is None:
        print(f"{_NAME} is not installed: install the package libfaketime, or name the file with --library")
        return 2
    with tempfile.TemporaryDirectory(prefix="recall-clock-") as folder:
        wrong = nights(Path(folder), library)
    print(json.dumps({"wrong": wrong}) if options.json else "\n".join(wrong) or "nothing was wrong")
    return int(bool(wrong))


def installed_library() -> Path | None:
    """Return the installed library; None without one."""
    found = (path for place in _PLACES for path in Path(place).rglob(_NAME) if path.parent.name == "faketime")
    return next(found, None)


def nights(folder: Path, library: Path) -> list[str]:
    """Sync two nights, stand still, sync two more nights, and return what is wrong."""
    world = World(lambda: trial.service_clock())
    first = utc_now().date() - timedelta(days=1)
    sandbox = Sandbox(
        world, clock=lambda: trial.service_clock(), list_per_minute=None, object_per_minute=None, page_size=7
    )
    trial = Trial(folder, sandbox, first)
    with sandbox.running():
        check = Check(trial, library, world, first)
        check.expect("an empty archive", check.run("verify"), 1)
        _before_the_standstill(check)
        _after_the_standstill(check)
        _damaged_files(check)
        _killed_while_normalizing(check)
    return check.wrong


def _before_the_standstill(check: Check) -> None:
    check.meet(check.first)
    late = list(check.world.artifacts)[-1]
    check.world.change_artifact(late.id, status="processing", content=None)
    check.expect("the first night", check.run("sync"), 0)
    check.turn_to(1)
    check.meet(check.first + timedelta(days=1))
    check.expect("the second night", check.run("sync"), 0)
    for days in range(2, _STANDSTILL_DAYS + 2):
        check.turn_to(days)
        check.meet(check.first + timedelta(days=days))
        if days == _LATE_DAYS:
            check.world.finish_artifact(late.id, Speech(1, title="late"))


def _after_the_standstill(check: Check) -> None:
    last = _STANDSTILL_DAYS + 2
    check.meet(check.first + timedelta(days=last))
    for days in (last, last + 1):
        check.turn_to(days)
        check.expect(f"night {days}", check.run("sync"), 0)
    _compare(check, [*days_between(check.first, check.first + timedelta(days=last))])
    check.expect("verify", check.run("verify"), 0)


def _compare(check: Check, days: list[date]) -> None:
    """Record each recording of these days that is not ready."""
    rows = {row["recording_id"]: row["outcome"] for row in Archived.read(check.trial.data).catalog}
    for row in check.world.expected_rows():
        if row.day in days and rows.get(row.recording_id) != "ready":
            check.wrong.append(f"{row.day}: recording {row.recording_id} is {rows.get(row.recording_id, 'missing')}")


def _damaged_files(check: Check) -> None:
    """Tear the request budget, then a table: the other days go on."""
    for budget in check.trial.home.rglob("*budget*"):
        if budget.is_file():
            budget.write_bytes(b"\0torn")
    check.turn_to(_STANDSTILL_DAYS + 4)
    check.meet(check.first + timedelta(days=_STANDSTILL_DAYS + 4))
    check.expect("a torn request budget", check.run("sync"), 0)
    torn = check.trial.data / f"audio_catalog/day={check.first}/audio_catalog.parquet"
    if not torn.exists():
        return  # named above
    torn.write_bytes(b"PAR1 and no more")
    check.turn_to(_STANDSTILL_DAYS + 5)
    check.expect("a torn table", check.run("sync"), 1, "not a readable Parquet")
    torn.unlink()
    check.expect("without the torn table", check.run("sync", "--from", f"{check.first}", "--to", f"{check.first}"), 0)
    _compare(check, [check.first + timedelta(days=_STANDSTILL_DAYS + 4)])


def _killed_while_normalizing(check: Check) -> None:
    """Kill all processes at 50% and 75% of a large day: the last sync makes what is missing and what was in flight."""
    check.turn_to(_STANDSTILL_DAYS + 6)
    day = check.first + timedelta(days=_STANDSTILL_DAYS + 6)
    for number in range(_LARGE_DAY):
        add_talk(check.world, day, number)
    sync = ("sync", "--from", f"{day}", "--to", f"{day}", "--json")
    for share in (0.5, 0.75):
        running = check.start(*sync)
        while _normalized(check, day) < share * _LARGE_DAY and not running.is_over:
            time.sleep(0.02)
        if running.is_over:
            check.wrong.append(f"a large day: its sync ended before {share:.0%} were normalized")
        running.kill()
    missing = _LARGE_DAY - _normalized(check, day)
    ended = check.run(*sync)
    check.expect("a large day after two kills", ended, 0)
    made = json.loads(ended.out.strip().splitlines()[-1])["normalized"] if ended.status == 0 else -1
    print(f"a large day after two kills: {missing} of {_LARGE_DAY} missing, {made} made", file=sys.stderr)
    if made > missing + _IN_FLIGHT:
        check.wrong.append(f"a large day: {made} made, although {missing} were missing")
    _compare(check, [day])


def _normalized(check: Check, day: date) -> int:
    return sum(1 for _ in check.trial.data.glob(f"normalized_audio/day={day}/*/*.flac"))


if __name__ == "__main__":
    sys.exit(main())
