"""Events that break something, or that an operator causes."""

import contextlib
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from recall_pipeline_tests.chaos.simulation.commands import started
from recall_pipeline_tests.chaos.simulation.deployment import day_range
from recall_sandbox import Rule
from recall_sandbox.effects import Reply, unavailable

if TYPE_CHECKING:
    from recall_pipeline_tests.chaos.simulation.year import Year

_TABLES = ("bots", "recordings", "mixed_audio", "audio_catalog")
_NEW_COLUMNS = {
    "recordings": ("has_mp3", "mp3_looked_up_at", "mp3_lookup_error", "start_is_estimated"),
    "audio_catalog": ("findings", "source_key", "audio_key"),
}
"""Columns that earlier versions did not write."""
_FULL_DISK_BYTES = 5_000
_KILLS = 3
_QUIET_DAYS = 5


@dataclass(frozen=True)
class Kind:
    """A kind of event: what happens, for how many days, and whether nights of it are healthy.

    `alerts`: an alert is due; else none may be sent. `at_step`: what happens at each step of its days.
    """

    name: str
    happening: "Callable[[Year], AbstractContextManager[None]]"
    days: int = 0
    disturbs: bool = True
    alerts: bool = False
    at_step: "Callable[[Year], None]" = lambda _: None


@dataclass(frozen=True)
class Event:
    """An event on a day."""

    day: date
    kind: Kind

    @property
    def name(self) -> str:
        """The name of its kind."""
        return self.kind.name

    @property
    def days(self) -> int:
        """How many days it lasts; 0: it is over within a moment."""
        return self.kind.days

    @property
    def disturbs(self) -> bool:
        """Whether a night of it does not count as healthy."""
        return self.kind.disturbs

    @property
    def alerts(self) -> bool:
        """Whether an alert is due; else none may be sent."""
        return self.kind.alerts

    def happening(self, year: "Year") -> AbstractContextManager[None]:
        """Begin the event; it is over at the end of the block."""
        return self.kind.happening(year)

    def at_step(self, year: "Year") -> None:
        """Do what happens at each step of its days."""
        self.kind.at_step(year)


def calendar(days: list[date], dice: random.Random, only: str = "") -> list[Event]:
    """Return events for the days: all kinds in a random order, again and again, some quiet days between two.

    `only` keeps the kinds whose name contains this text.
    """
    every = [kind for kind in KINDS if only in kind.name]
    events: list[Event] = []
    at = 4
    kinds: list[Kind] = []
    while True:
        if not kinds:
            kinds = dice.sample(every, len(every))
        fitting = [kind for kind in kinds if at + kind.days + _QUIET_DAYS <= len(days)]
        if not fitting:
            return events
        kinds.remove(fitting[0])
        events.append(Event(days[at], fitting[0]))
        at += fitting[0].days + _QUIET_DAYS


def short_calendar(days: list[date]) -> list[Event]:
    """Return the events of 30 days that few runs are enough for."""
    kinds = {kind.name: kind for kind in KINDS}
    begins = {4: "12 days of standstill", 21: "a lost table", 25: "an erasure"}
    return [Event(days[begin], kinds[name]) for begin, name in begins.items()]


@contextlib.contextmanager
def _standstill(year: "Year") -> Iterator[None]:
    year.is_paused = True
    yield
    year.is_paused = False


@contextlib.contextmanager
def _revoked_key(year: "Year") -> Iterator[None]:
    with _faulty(year, Rule(Reply(401, {"detail": "Invalid token."}), origin="api")):
        yield


@contextlib.contextmanager
def _media_down(year: "Year") -> Iterator[None]:
    with _faulty(year, Rule(unavailable(503), origin="media")):
        yield


@contextlib.contextmanager
def _faulty(year: "Year", rule: Rule) -> Iterator[None]:
    year.sandbox.faults.add(rule)
    yield
    year.sandbox.faults.remove(rule)


@contextlib.contextmanager
def _full_disk(year: "Year") -> Iterator[None]:
    began = year.today
    year.largest_file_bytes = _FULL_DISK_BYTES
    yield
    year.largest_file_bytes = None
    touched = [began + timedelta(days=offset) for offset in range(-30, (year.today - began).days + 1)]
    year.ledger.excused |= {audio_id or "" for (_, audio_id), _ in year.ledger.of_days(touched)}


@contextlib.contextmanager
def _lost_table(year: "Year") -> Iterator[None]:
    table = _any_table(year, _TABLES)
    if table:
        table.unlink()
        year.ledger.restart([_day_of(table)])
    yield


@contextlib.contextmanager
def _torn_table(year: "Year") -> Iterator[None]:
    """Tear a table; the operator moves it away after a day."""
    table = _any_table(year, _TABLES)
    if table:
        table.write_bytes(b"PAR1 and no more")
        year.ledger.restart([_day_of(table)])
    before = len(year.deployment.runs)
    yield
    days = {run.day for run in year.deployment.runs[before:] if run.error is None}
    if not days:
        year.report.add("a torn table", [f"{year.today}: no other day went on beside {table}"])
    if table:
        table.unlink(missing_ok=True)


@contextlib.contextmanager
def _older_schema(year: "Year") -> Iterator[None]:
    table = _any_table(year, tuple(_NEW_COLUMNS))
    if table:
        rows = pq.ParquetFile(table).read()
        rows = rows.drop_columns([name for name in _NEW_COLUMNS[table.stem] if name in rows.column_names])
        metadata = {k: b"1" if k.endswith(b"schema_version") else v for k, v in (rows.schema.metadata or {}).items()}
        pq.write_table(rows.replace_schema_metadata(metadata), table)
    yield


@contextlib.contextmanager
def _backup(year: "Year") -> Iterator[None]:
    """Copy the archive; after a week put the copy in its place, all but `audit`."""
    copy, began = year.folder / "backup", year.today
    shutil.copytree(year.data, copy, ignore=shutil.ignore_patterns("audit", "_spool"))
    archived = set(year.judge.archived_keys())
    yield
    for place in year.data.iterdir():
        if place.name != "audit":
            shutil.rmtree(place) if place.is_dir() else place.unlink()
    shutil.copytree(copy, year.data, dirs_exist_ok=True)
    shutil.rmtree(copy)
    year.judge.was_archived = archived
    lost = [began + timedelta(days=offset) for offset in range(-25, (year.today - began).days + 1)]
    year.ledger.restart(lost)


@contextlib.contextmanager
def _moved_start_date(year: "Year") -> Iterator[None]:
    """Begin the partitions later, and after some days as before."""
    settings = year.settings
    year.deployment.load(settings.model_copy(update={"start_date": year.today - timedelta(days=2)}))
    yield
    year.deployment.load(settings)


@contextlib.contextmanager
def _backfill(year: "Year") -> Iterator[None]:
    """Run two ranges of a week, as a backfill from the UI does."""
    first = max(year.settings.start_date, year.today - timedelta(days=20))
    for begin in (first, first + timedelta(days=7)):
        last = min(begin + timedelta(days=6), year.today)
        run = year.deployment.run("sync_day", "backfill", f"{begin} to {last}", tags=day_range(begin, last))
        if run.error:
            year.report.add("a backfill", [f"{begin} to {last}: {run.error}"])
    yield


@contextlib.contextmanager
def _erasure(year: "Year") -> Iterator[None]:
    keys = sorted(year.judge.archived_keys(), key=str)
    for recording_id, _ in year.dice.sample(keys, min(2, len(keys))):
        config = {"ops": {"forget_requested": {"config": {
            "recording": recording_id, "reason": "asked to", "dry_run": False,
        }}}}  # fmt: skip
        run = year.deployment.run("forget", "erasure", run_config=config)
        year.judge.erased.add(recording_id)
        if run.error:
            year.report.add("an erasure", [f"{year.today}: {run.error}"])
    yield


@contextlib.contextmanager
def _clock_set_back(year: "Year") -> Iterator[None]:
    year.tick("finished_bots", "alerts")
    year.clock.turn_to(year.clock.now - timedelta(hours=1))
    year.tick("finished_bots", "alerts")
    yield


@contextlib.contextmanager
def _kills(year: "Year") -> Iterator[None]:
    """Start the command line for today, and kill it at a random moment, some times."""
    year.clock.turn_to(datetime.combine(year.today, datetime.min.time().replace(hour=12), UTC))
    year.meetings.turn_to(year.clock.now)
    year.ledger.observe(year.clock.now)
    for _ in range(_KILLS):
        with started(year, "sync", "--from", f"{year.today}", "--to", f"{year.today}") as running:
            time.sleep(year.dice.uniform(2, 8))
            running.kill()
    year.ledger.excused |= {audio_id or "" for (_, audio_id), _ in year.ledger.of_days([year.today])}
    yield


def _any_table(year: "Year", names: tuple[str, ...]) -> Path | None:
    """Return a table of one of the last 30 days, but not of today."""
    first = year.today - timedelta(days=30)
    tables = [
        path
        for name in names
        for path in sorted(year.data.glob(f"{name}/day=*/{name}.parquet"))
        if first <= _day_of(path) < year.today
    ]
    return year.dice.choice(tables) if tables else None


def _day_of(table: Path) -> date:
    return date.fromisoformat(table.parent.name.removeprefix("day="))


KINDS = (
    Kind("12 days of standstill", _standstill, days=12),
    Kind("a revoked key for a week", _revoked_key, days=7, alerts=True),
    Kind("a full disk for two days", _full_disk, days=2, alerts=True),
    Kind("a media host that is down", _media_down, days=2, alerts=True),
    Kind("kills", _kills),
    Kind("a lost table", _lost_table),
    Kind("a torn table", _torn_table, days=1, alerts=True),
    Kind("a table of an older schema", _older_schema),
    Kind("a restored backup of last week", _backup, days=7, disturbs=False),
    Kind("a moved start date", _moved_start_date, days=4),
    Kind("a backfill", _backfill),
    Kind("an erasure", _erasure),
    Kind("a clock set back an hour", _clock_set_back),
)
