"""No fault leaks a secret: every fault strikes, then all output, files and requests are searched for secrets."""

import dataclasses
import logging
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq
import pytest

from recall_pipeline.cli.instance import open_instance
from recall_pipeline.defs import build_definitions
from recall_pipeline.settings import Settings
from recall_pipeline_tests.chaos.faults.media_faults import MEDIA_FAULTS
from recall_pipeline_tests.chaos.faults.service_faults import SERVICE_FAULTS
from recall_pipeline_tests.chaos.trials import Trial
from recall_pipeline_tests.cli.conftest import TODAY, YESTERDAY, CommandResult, Run
from recall_sandbox import Rule, Sandbox, World
from recall_sandbox.effects import Cut, Delay, EditJson, Effect, ForeignNext, Reply, Stall, Trickle, redirect
from recall_sandbox.meetings import ArtifactSpec, RecordingSpec, SampleMeeting, rows_of
from recall_sandbox.speech import Speech

ONE_DAY = ("--from", f"{YESTERDAY}", "--to", f"{YESTERDAY}")
PASSWORDS = ("password-in-a-link", "password-in-an-object")
MOST_SYNCS = 25


class ForeignHost(ThreadingHTTPServer):
    """A host other than Recall.ai: it records every request and answers with an empty body."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _RecordingHandler)
        self.received: list[str] = []

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.server_port}"


class _RecordingHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Record a request, and answer."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        assert isinstance(self.server, ForeignHost)
        self.server.received.append(f"{self.requestline}\n{self.headers}\n{body.decode()}")
        self.send_response(200)
        self.end_headers()

    do_POST = do_GET  # noqa: N815 -- http.server's name

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002 -- http.server's signature
        return


@pytest.fixture
def foreign_host() -> Iterator[ForeignHost]:
    with ForeignHost() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def world() -> World:
    """Meetings of yesterday, with passwords in every field where Recall.ai shows them."""
    world = World()
    link = f"https://example.zoom.us/j/81234567890?pwd={PASSWORDS[0]}"
    shown = {"meeting_id": "82345678901", "meeting_password": PASSWORDS[1], "platform": "zoom"}
    for number, meeting_url in enumerate([link, shown, None] * 4):  # most faults end a download for this sync
        talk = RecordingSpec(2, (ArtifactSpec(Speech(2, title=f"{number}")),))
        starts = time(9 + number)
        meeting = SampleMeeting(
            f"{number}", "", 1, starts, ("ready",), (talk,), meeting_url=meeting_url, requested_url=link
        )
        world.add(*rows_of(meeting, TODAY))
    return world


def every_fault(trial: Trial, foreign_host: ForeignHost) -> Iterator[Rule]:
    """Yield a rule for each fault of API and media host, some that quote secrets, and some that redirect."""
    last = trial.expected_rows()[-1].audio_id
    yield Rule(Cut(0), origin="media", path=f"{last}")  # never completes: its partial file stays in the staging folder
    message = f"Token {trial.sandbox.api_key} may not open {trial.sandbox.media_url}/a.mp3?Signature=abc"
    yield from (Rule(Reply(status, {"detail": message}), origin="api", times=1) for status in (400, 401, 402, 403, 409))
    yield Rule(ForeignNext(f"{foreign_host.url}/api/v1/recording/"), origin="api", path="/recording/$", times=1)
    yield Rule(redirect(f"{foreign_host.url}/api/v1/bot/"), origin="api", times=1)
    yield Rule(redirect(f"{foreign_host.url}/a.mp3?Signature=redirected"), origin="media", times=1)
    for fault in (*SERVICE_FAULTS, *MEDIA_FAULTS):
        for rule in fault.inject(trial):
            is_edit = isinstance(rule.effect, EditJson)
            path, times = (rule.path, 3) if is_edit else ("", 1)  # the three listings are read side by side
            yield Rule(_at_once(rule.effect), rule.origin, path=path, times=times)


def _at_once(effect: Effect) -> Effect:
    """Return the effect without its waits."""
    match effect:
        case Stall() | Delay():
            return dataclasses.replace(effect, seconds=0.01)
        case Trickle():
            return dataclasses.replace(effect, pause_seconds=0)
    return effect


def secrets_of(sandbox: Sandbox) -> set[str]:
    """Return the key, the passwords, and all values that sign a download link."""
    signed = [access.query for access in sandbox.access_log.only(origin="media")]
    values = {value for query in signed for pair in query.split("&") for _, _, value in [pair.partition("=")]}
    assert len(values) > 20
    names = {"Signature=", "AWSAccessKeyId", "x-amz-security-token"}
    return {sandbox.api_key, *PASSWORDS, *names, *(value for value in values if len(value) > 12)}


def texts_below(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the content of each file as text; tables and databases are decoded."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        yield path.name, path.read_bytes().decode("latin-1")
        if path.suffix == ".parquet":
            yield path.name, repr(pq.read_table(path).to_pylist())
        if path.suffix == ".db":
            with closing(sqlite3.connect(path)) as database:
                yield path.name, "\n".join(database.iterdump())


@pytest.fixture
def alert_cursor(run: Run, foreign_host: ForeignHost, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """The cursor of the alerts before the first run."""
    monkeypatch.setenv("RECALL_ALERT_URL", f"{foreign_host.url}/services/hook")
    with open_instance() as instance:
        return tick(instance, None)


def tick(instance: dg.DagsterInstance, cursor: str | None) -> str | None:
    """Evaluate the sensor `alerts` once."""
    context = dg.build_sensor_context(instance=instance, cursor=cursor)
    repository = build_definitions(Settings.from_environment()).get_repository_def()
    repository.get_sensor_def("alerts")(context)
    return context.cursor


def run_with_compute_logs(folder: Path) -> None:
    """Run the day once with compute logs, like runs from the UI, the schedule and the sensor."""
    folder.mkdir()
    with dg.DagsterInstance.local_temp(str(folder), overrides={"telemetry": {"enabled": False}}) as instance:
        job = build_definitions(Settings.from_environment()).resolve_job_def("sync_day")
        job.execute_in_process(instance=instance, partition_key=f"{YESTERDAY}", raise_on_error=False)


def test_after_every_fault_no_secret_is_in_output_files_or_requests(
    sandboxed: Run,
    sandbox: Sandbox,
    foreign_host: ForeignHost,
    alert_cursor: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    caplog.set_level(logging.DEBUG)
    trial = Trial(tmp_path / "trial", sandbox, YESTERDAY)
    rules = [sandbox.faults.add(rule) for rule in every_fault(trial, foreign_host)]
    refetched = trial.expected_rows()[0].recording_id  # downloaded at every sync, so that downloads can still fail
    results: list[CommandResult] = []
    while not all(map(sandbox.faults.applied, rules)) and len(results) < MOST_SYNCS:
        if len(results) == 1:
            run_with_compute_logs(tmp_path / "ui")
        results.append(sandboxed("sync", *(ONE_DAY if len(results) < 3 else ("--recording", refetched))))
    with open_instance() as instance:
        tick(instance, alert_cursor)

    assert [rule for rule in rules if not sandbox.faults.applied(rule)] == []
    left = dict(texts_below(tmp_path))
    assert {Path(name).suffix for name in left} >= {".parquet", ".mp3", ".flac", ".db", ".part", ".json", ".err"}
    assert any("/services/hook" in request for request in foreign_host.received)
    printed = [("printed", result.out + result.err) for result in results]
    received = [("foreign host", request.replace("Signature=redirected", "")) for request in foreign_host.received]
    searched = [*texts_below(tmp_path), *printed, *received, ("logged", caplog.text)]
    secrets = secrets_of(sandbox)
    assert [(where, secret) for where, text in searched for secret in secrets if secret in text] == []
    assert not [access for access in sandbox.access_log.only(origin="media") if access.had_authorization]
