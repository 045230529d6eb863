"""The loop over the days: meetings, events, ticks, and what is compared each Sunday."""

import contextlib
import os
import random
import resource
import time as real_time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pydantic import SecretStr

from recall_pipeline.settings import Settings
from recall_pipeline_tests.chaos.simulation.clock import TurnedClock
from recall_pipeline_tests.chaos.simulation.commands import started
from recall_pipeline_tests.chaos.simulation.deployment import Alerts, Deployment, quick_runs
from recall_pipeline_tests.chaos.simulation.events import Event
from recall_pipeline_tests.chaos.simulation.judge import Judge
from recall_pipeline_tests.chaos.simulation.ledger import Ledger
from recall_pipeline_tests.chaos.simulation.meetings import Meetings
from recall_pipeline_tests.chaos.simulation.report import Report
from recall_pipeline_tests.chaos.simulation.requests import PAGE_SIZE, fetched, list_requests, most_list_requests
from recall_sandbox import Sandbox, World

Say = Callable[[str], object]
_FIRST = date(2025, 8, 1)
_SUNDAY = 6
_ENOUGH = 1_000_000
_MOST_NAMED = 8
_AFTER_MIDNIGHT = time(0, 4)
_NIGHT = time(2, 23)
_VERIFY_SECONDS = 3_600.0
_FAILING = ("Failed: ", "Fails in more places: ")


@dataclass(frozen=True)
class Plan:
    """How many days, the fewest and the most meetings a day, the seed of the dice, and when the sensor is ticked."""

    days: int
    meetings: tuple[int, int]
    seed: int = 0
    polls: tuple[time, ...] = (time(13, 10), time(23, 58))


class Year:
    """A workspace, its archive and its deployment, day by day from 1 August 2025."""

    def __init__(self, folder: Path, sandbox: Sandbox, clock: TurnedClock, alerts: Alerts, plan: Plan) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.clock = clock
        self.alerts = alerts
        self.plan = plan
        self.dice = random.Random(plan.seed)  # noqa: S311 -- not for secrets
        self.meetings = Meetings(sandbox.world, self.dice, plan.meetings)
        self.settings = Settings(
            api_key=SecretStr(sandbox.api_key),
            api_url=sandbox.api_url,
            storage_url=str(folder / "data"),
            list_rpm=_ENOUGH,
            object_rpm=_ENOUGH,
            workers="1",
            start_date=_FIRST,
            alert_url=SecretStr(alerts.url),
        )
        self.deployment = Deployment(clock, self.settings)
        self.ledger = Ledger(sandbox.world)
        self.judge = Judge(self.data, self.ledger, self.settings.lookback.days)
        self.report = Report()
        self.is_paused = False
        self.largest_file_bytes: int | None = None
        self.last_event = "before any event"
        self._since_event = 0

    @property
    def data(self) -> Path:
        """The archive."""
        return self.folder / "data"

    @property
    def today(self) -> date:
        """The day that the clock shows."""
        return self.clock.now.date()

    def days(self) -> list[date]:
        """Return all days of the simulation."""
        return [_FIRST + timedelta(days=offset) for offset in range(self.plan.days)]

    def run(self, events: list[Event], say: Say) -> Report:
        """Pass all days, with the events on theirs; `say` gets a line a week."""
        began = real_time.monotonic()
        calendar = {event.day: event for event in events}
        running: list[tuple[date, contextlib.ExitStack, Event]] = []
        for day in self.days():
            self.clock.turn_to(datetime.combine(day, time(0, 1), UTC))
            self.meetings.plan(day)
            running = self._end_events(running, day, say)
            if event := calendar.get(day):
                running.append(self._begin(event))
            self._pass_day(day, [event for _, _, event in running])
            if day.weekday() == _SUNDAY:
                self._compare(say, is_disturbed=bool(running))
        self._end_events(running, date.max, say)
        self._end(say)
        self.report.minutes = round((real_time.monotonic() - began) / 60, 1)
        return self.report

    def tick(self, *names: str) -> None:
        """Evaluate ticks of the present time, on a full disk if there is one."""
        if self.is_paused:
            return
        with _largest_file(self.largest_file_bytes):
            for name in names:
                (self.deployment.schedule if name.startswith("daily") else self.deployment.sensor)(name)

    def _pass_day(self, day: date, running: list[Event]) -> None:
        runs_before = len(self.deployment.runs)
        for moment in [_AFTER_MIDNIGHT] * (day.day == 1) + [_NIGHT, *self.plan.polls]:
            self.clock.turn_to(datetime.combine(day, moment, UTC))
            self.meetings.turn_to(self.clock.now)
            self.ledger.observe(self.clock.now)
            for event in running:
                event.at_step(self)
            names = ["daily_sync"] if moment == _NIGHT else ["finished_bots"]
            if moment == _NIGHT and self.deployment.settings.retention_days:
                names.append("daily_retention")
            self.tick(*names, "alerts")
            if moment == _NIGHT:
                self._count_night(running)
        self._count_requests(day, len(self.deployment.runs) - runs_before, is_disturbed=bool(running))

    def _count_night(self, running: list[Event]) -> None:
        if not any(event.disturbs for event in running):
            self._since_event += 1
            self.ledger.night_passed()

    def _begin(self, event: Event) -> tuple[date, contextlib.ExitStack, Event]:
        self.report.events[event.name] += 1
        self.last_event, self._since_event = event.name, 0
        stack = contextlib.ExitStack()
        stack.enter_context(event.happening(self))
        return event.day + timedelta(days=event.days), stack, event

    def _end_events(
        self, running: list[tuple[date, contextlib.ExitStack, Event]], day: date, say: Say
    ) -> list[tuple[date, contextlib.ExitStack, Event]]:
        left = []
        for ends, stack, event in running:
            if day < ends:
                left.append((ends, stack, event))
                continue
            stack.close()
            self._since_event = 0
            if faults := list(self._wrong_alerts(event)):
                self.report.add(event.name, faults)
                say("\n".join(faults))
        return left

    def _wrong_alerts(self, event: Event) -> Iterator[str]:
        """Yield that no alert was sent of an event, or each that was sent although it harms nothing."""
        began = datetime.combine(event.day, time(), UTC)
        sent = [text for at, text in self.alerts.messages if at >= began and any(word in text for word in _FAILING)]
        if event.alerts and not sent:
            yield f"{event.day}: no alert was sent"
        for text in [] if event.alerts else sent:
            if "none_about_to_expire" not in text:  # of an MP3 that is finished late
                yield f"{event.day}: an alert of what harms nothing: {text}"

    def _compare(self, say: Say, *, is_disturbed: bool) -> None:
        """Compare the archive with what existed."""
        faults = [*self.judge.check(self.clock.now), *self.ledger.without_cause(), *self.deployment.failed_ticks]
        self.deployment.failed_ticks.clear()
        if not is_disturbed and self._since_event >= 3:
            faults += [f"{self.today}: {where} still alerts: {cause}" for where, cause in self._alerts_that_are_over()]
        before = sum(map(len, self.report.wrong.values()))
        self.report.add(self.last_event, faults)
        new = [fault for fault in self.report.wrong.get(self.last_event, []) if fault in faults]
        say(
            f"{self.today} after {self.last_event}: {len(self.ledger.known)} known, {len(self.deployment.runs)} runs, "
            f"{sum(map(len, self.report.wrong.values())) - before} new faults"
        )
        for fault in new[-_MOST_NAMED:] if sum(map(len, self.report.wrong.values())) > before else []:
            say(f"   {fault}")

    def _alerts_that_are_over(self) -> Iterator[tuple[str, str]]:
        for where, cause in self.deployment.standing_alerts().items():
            if "none_about_to_expire" in where and self._something_expires(where):
                continue
            yield where, cause

    def _something_expires(self, where: str) -> bool:
        soon = self.clock.now + timedelta(days=2)
        return any(
            known.expires_at and self.clock.now - timedelta(days=1) < known.expires_at < soon
            for _, known in self.ledger.of_days(day for day in self.days() if day.isoformat() in where)
        )

    def _count_requests(self, day: date, runs: int, *, is_disturbed: bool) -> None:
        accesses = list(self.sandbox.access_log)
        self.sandbox.access_log.clear()
        self.ledger.fetches.update(fetched(accesses))
        self.report.most_requests = max(self.report.most_requests, len(accesses))
        lists, most = (
            list_requests(accesses),
            most_list_requests(self.sandbox.world, day, len(self.plan.polls) + 1, runs),
        )
        if not is_disturbed and lists > most:
            fault = f"{day}: {lists} requests to the lists, and at most {most} by the formula"
            self.report.add(self.last_event, [fault])

    def _end(self, say: Say) -> None:
        self._compare(say, is_disturbed=False)
        self.report.add("the end", self._verify())
        self.report.days, self.report.recordings = self.plan.days, len(self.ledger.keys_of)
        self.report.changes, self.report.outcomes = self.meetings.counts, self.judge.count()
        self.report.never_seen = self.judge.never_seen()
        for run in self.deployment.runs:
            self.report.runs[f"{run.source}, {'failed' if run.error else 'succeeded'}"] += 1

    def _verify(self) -> list[str]:
        """Return what the command `verify` finds in the whole archive."""
        with started(self, "verify") as running:
            ended = running.wait(_VERIFY_SECONDS)
        return [] if ended.status == 0 else [f"verify: {line}" for line in ended.err.strip().splitlines()]


@contextlib.contextmanager
def prepared(folder: Path, plan: Plan) -> Iterator[Year]:
    """Start the sandbox and the receiver of alerts, and install the clock."""
    clock = TurnedClock(datetime.combine(_FIRST, time(0, 1), UTC))
    alerts = Alerts(clock)
    limits: dict[str, Any] = {"list_per_minute": None, "object_per_minute": None, "page_size": PAGE_SIZE}
    sandbox = Sandbox(World(clock), clock=clock, **limits)
    home = {"DAGSTER_HOME": str(folder)}  # of the request budget
    with alerts.received(), sandbox.running(), clock.installed(), quick_runs(), patch.dict(os.environ, home):
        yield Year(folder, sandbox, clock, alerts, plan)


@contextlib.contextmanager
def _largest_file(size_bytes: int | None) -> Iterator[None]:
    """Refuse larger files, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (before[0] if size_bytes is None else size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
