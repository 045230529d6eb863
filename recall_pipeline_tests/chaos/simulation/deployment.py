"""Dagster's daemon in this process: ticks as it would evaluate them, and the runs that they request."""

import contextlib
import gc
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

import dagster as dg

from recall_pipeline.defs import build_definitions
from recall_pipeline.settings import Settings
from recall_pipeline_tests.chaos.simulation.clock import TurnedClock
from recall_pipeline_tests.chaos.simulation.event_log import EventLists

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_PARTITION = "dagster/partition"
_GARBAGE = 50_000
_PROCESS = "recall_pipeline.audio.worker._one_process"


@dataclass
class Run:
    """A run that ended: the day, who requested it, and its first error line."""

    at: datetime
    day: str
    source: str
    error: str | None


class Deployment:
    """An instance in memory with the definitions of `settings`, which can be replaced, as by a restart."""

    def __init__(self, clock: TurnedClock, settings: Settings) -> None:
        self.clock = clock
        self.runs: list[Run] = []
        self.failed_ticks: list[str] = []
        self._cursors: dict[str, str | None] = {}
        self._run_keys: set[tuple[str, str]] = set()
        self.instance = dg.DagsterInstance.ephemeral()
        self.instance._event_storage = EventLists(self.instance)
        self.load(settings)

    def load(self, settings: Settings) -> None:
        """Load the code location anew."""
        self.settings = settings
        self._definitions = build_definitions(settings)
        self._repository = self._definitions.get_repository_def()

    def schedule(self, name: str) -> None:
        """Evaluate a schedule's tick of now, and execute what it requests."""
        schedule = self._repository.get_schedule_def(name)
        context = dg.build_schedule_context(
            instance=self.instance, scheduled_execution_time=self.clock.now, repository_def=self._repository
        )
        with self._noting(name):
            tick = schedule.evaluate_tick(context)
            self._execute(name, schedule.job_name, tick.run_requests or [])

    def sensor(self, name: str) -> None:
        """Evaluate a sensor's tick, and execute what it requests."""
        sensor = self._repository.get_sensor_def(name)
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self._cursors.get(name), repository_def=self._repository
        )
        with self._noting(name):
            tick = sensor.evaluate_tick(context)
            self._cursors[name] = tick.cursor
            self._execute(name, "sync_day", tick.run_requests or [])

    def run(self, job: str, source: str, day: str = "", **options: Any) -> Run:
        """Execute a run in this process."""
        at, definition = self.clock.now, self._definitions.resolve_job_def(job)
        config = {**_QUIET, **options.pop("run_config", {})}
        try:
            result = definition.execute_in_process(
                instance=self.instance, raise_on_error=False, run_config=config, **options
            )
            error = None if result.success else _first_error(result)
        except Exception as failed:
            error = f"{type(failed).__name__}: {failed}"
        self.runs.append(Run(at, day, source, error))
        return self.runs[-1]

    def standing_alerts(self) -> Mapping[str, str]:
        """Return what fails by the state of the sensor `alerts`, with its causes."""
        try:
            return dict(json.loads(json.loads(self._cursors["alerts"] or "")[1])[0])
        except (KeyError, ValueError, TypeError, IndexError):
            return {}

    def _execute(self, source: str, job: str, requests: Sequence[dg.RunRequest]) -> None:
        for request in requests:
            if request.run_key and (source, request.run_key) in self._run_keys:
                continue
            self._run_keys.add((source, request.run_key or ""))
            day = request.partition_key or request.tags.get(_PARTITION)
            if day:
                self.run(job, source, day, partition_key=day, tags=dict(request.tags))
            else:
                self.run(job, source, tags=dict(request.tags))

    @contextlib.contextmanager
    def _noting(self, name: str) -> Iterator[None]:
        """Record a tick that raises, which Dagster would show as failed."""
        try:
            yield
        except Exception as error:
            cause = error.__cause__ or error
            self.failed_ticks.append(f"{self.clock.now:%Y-%m-%d %H:%M} {name}: {type(cause).__name__}: {cause}"[:300])


class _Thread(ThreadPoolExecutor):
    """Stands for the process of a worker."""

    _processes: Mapping[int, Any] = MappingProxyType({})

    def __init__(self) -> None:
        super().__init__(1)


@contextlib.contextmanager
def quick_runs() -> Iterator[None]:
    """Let threads decode and normalize, since processes take most of the time, and collect garbage less often."""
    thresholds = gc.get_threshold()
    gc.set_threshold(_GARBAGE, 20, 50)
    try:
        with patch(_PROCESS, _Thread):
            yield
    finally:
        gc.set_threshold(*thresholds)


@dataclass
class Alerts:
    """A local receiver of alerts: `messages` are all texts, each with the time of its arrival."""

    clock: TurnedClock
    messages: list[tuple[datetime, str]] = field(default_factory=list)
    url: str = ""

    @contextlib.contextmanager
    def received(self) -> Iterator[None]:
        """Receive at `url` until the block ends."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{server.server_port}/alerts"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        alerts = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                alerts.messages.append((alerts.clock.now, body["text"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        return Handler


def _first_error(result: dg.ExecuteInProcessResult) -> str:
    for event in result.all_events:
        if event.is_step_failure:
            failure = event.step_failure_data
            if failure.user_failure_data and failure.user_failure_data.description:
                return str(failure.user_failure_data.description)
            return str(failure.error.to_string())[-1500:] if failure.error else "unknown"
    return "the run failed without a failed step"


def day_range(first: date, last: date) -> dict[str, str]:
    """Return the tags of a run for a range of days."""
    names = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
    return dict(zip(names, (first.isoformat(), last.isoformat()), strict=True))
