"""Trial of each alert, that it fires and clears: `python -m recall_pipeline_tests.live.alerts`, about twenty minutes.

A real `dagster dev` on the sandbox posts its alerts to a hook on loopback, while one fault after another is
injected and then repaired as docs/operations.md describes. It prints every message, and ends with status 1 if one is
missing.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from recall_pipeline.catalog import CATALOG
from recall_pipeline.days import ONE_DAY, utc_now
from recall_pipeline.discovery import BOTS, RECORDINGS
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.settings import project_folder
from recall_pipeline.storage import Layout
from recall_pipeline_tests.live.dagster_dev import DAY, MEETING_AT, Trial, dagster, graphql, meeting, sandbox
from recall_sandbox import Rule, Sandbox, World
from recall_sandbox.effects import Delay, Reply, unavailable
from recall_sandbox.records import SandboxRecording

BEFORE = DAY - ONE_DAY
BAD_KEY = Reply(401, {"detail": "Invalid token."})


def main() -> int:
    """Inject and repair one fault after another."""
    with hook() as inbox:
        folder = Path(tempfile.mkdtemp(prefix="recall-alerts-"))
        trial = Trial(
            folder, patience_seconds=600, RECALL_ALERT_URL=f"http://127.0.0.1:{inbox.server_port}/services/hook"
        )
        world = World()
        world.add(*meeting(1, finished=True))
        world.add(*meeting(2, finished=True, start=MEETING_AT - ONE_DAY))
        with dagster(trial), sandbox(world) as running:
            trial.until("two days are cataloged", lambda: trial.ready() == 1 and trial.ready(BEFORE) == 1)
            trial.quiet("the alerts begin to listen", 3)
            a_bad_key(trial, inbox, running)
            a_killed_run(trial, inbox, running)
            a_damaged_file(trial, inbox)
            tables_written_by_hand(trial, inbox)
            downloads_that_fail(trial, inbox, running)
        a_dead_poller(trial, inbox, world)
    return 1 if trial.failed else 0


def a_bad_key(trial: Trial, inbox: "Hook", running: Sandbox) -> None:
    """A run fails permanently; the next one, with a valid key, succeeds."""
    with injected(running, Rule(BAD_KEY, origin="api")):
        materialize(DAY.isoformat())
        inbox.fires(trial, "list ", "does not accept the key", "bots of")
    materialize(DAY.isoformat())
    inbox.clears(trial, "list ")


def a_killed_run(trial: Trial, inbox: "Hook", running: Sandbox) -> None:
    """A run's process is killed; Dagster restarts it automatically."""
    with injected(running, Rule(Delay(3), origin="api")):
        materialize(DAY.isoformat())
        process = trial.process_of_a_run()
        os.kill(process, signal.SIGKILL)
    with injected(running, Rule(unavailable(), origin="api")):  # otherwise the new run ends before the next tick
        inbox.fires(trial, "the run's process was killed", f"the run of {DAY}")
    inbox.clears(trial, "the run's process was killed")


def a_damaged_file(trial: Trial, inbox: "Hook") -> None:
    """A stored MP3 grows by a byte; `sync --recording` downloads it again."""
    [row] = [row for row in MIXED_AUDIO.read(trial.archive, DAY) or [] if row.source_key]
    with trial.archive.local_path(str(row.source_key)).open("ab") as file:
        file.write(b"!")
    execute_check("mixed_audio", "bytes_proven", DAY.isoformat())
    inbox.fires(trial, "check bytes_proven", f"bytes_proven of {DAY}")
    program = [sys.executable, "-m", "recall_pipeline", "sync", "--recording", row.recording_id]
    subprocess.run(program, check=True, cwd=project_folder(), env=trial.environment())  # noqa: S603 -- our own
    inbox.clears(trial, "check bytes_proven")


def tables_written_by_hand(trial: Trial, inbox: "Hook") -> None:
    """A catalog loses its rows, another a column; a sync of their days writes them again."""
    CATALOG.write(trial.archive, DAY, [])
    table = trial.archive.local_path(Layout.table("audio_catalog", BEFORE))
    pq.write_table(pq.ParquetFile(table).read().drop_columns(["waveform"]), table)
    execute_check("audio_catalog", "nothing_missing", DAY.isoformat())
    inbox.fires(trial, "check nothing_missing", f"nothing_missing of {DAY}")
    execute_check("audio_catalog", "audio_catalog_schema", BEFORE.isoformat())
    inbox.fires(trial, "check audio_catalog_schema", f"audio_catalog_schema of {BEFORE}")
    materialize(DAY.isoformat(), BEFORE.isoformat())
    inbox.clears(trial, "check nothing_missing")
    inbox.clears(trial, "check audio_catalog_schema")


def downloads_that_fail(trial: Trial, inbox: "Hook", running: Sandbox) -> None:
    """The media host refuses a recording that expires tomorrow, and then serves it."""
    rows = list(meeting(3, finished=True))
    running.world.add(
        *(replace(row, expires_at=utc_now() + ONE_DAY) if isinstance(row, SandboxRecording) else row for row in rows)
    )
    with injected(running, Rule(unavailable(), origin="media")):
        inbox.fires(trial, "check none_left_failed", f"none_left_failed of {DAY}")
        inbox.fires(trial, "check none_about_to_expire", f"none_about_to_expire of {DAY}")
    materialize(DAY.isoformat())
    inbox.clears(trial, "check none_left_failed")
    inbox.clears(trial, "check none_about_to_expire")


def a_dead_poller(trial: Trial, inbox: "Hook", world: World) -> None:
    """Recall.ai cannot be reached, and a day lost its tables: it is due, and no run can sync it."""
    workspace = trial.folder / "impatient.yaml"
    module = {"module_name": "recall_pipeline_tests.live.impatient", "location_name": "recall_pipeline"}
    workspace.write_text(json.dumps({"load_from": [{"python_module": module}]}))
    before = trial.ready()
    with dagster(trial, workspace):
        trial.until("no day waits", lambda: trial.check_of_due_days() == "SUCCEEDED")
        for table in (BOTS, RECORDINGS, MIXED_AUDIO, CATALOG):
            trial.archive.local_path(table.key(DAY)).unlink()
        trial.until("then a day waits", lambda: trial.check_of_due_days() == "FAILED")
        inbox.fires(trial, "days that are due were not synced", f"the sync of {DAY}")
        with sandbox(world):
            world.add(*meeting(4, finished=True))  # the sensor requests the same changes once an hour only
            trial.until("Recall.ai is back, and so is the day", lambda: trial.ready() == before + 1)
            trial.until("no day waits any more", lambda: trial.check_of_due_days() == "SUCCEEDED")
            inbox.clears(trial, "days that are due were not synced")


class Hook(HTTPServer):
    """An HTTP server that receives alerts, as a Slack webhook does."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        super().__init__(("127.0.0.1", 0), _Request)

    def fires(self, trial: Trial, *words: str) -> None:
        """Wait for an alert with all these words, and print it."""
        self._comes(trial, "alert fired", ("Failed: ", *words))

    def clears(self, trial: Trial, *words: str) -> None:
        """Wait for the recovery message, and print it."""
        self._comes(trial, "alert cleared", ("Recovered: ", *words))

    def _comes(self, trial: Trial, what: str, words: Sequence[str]) -> None:
        def found() -> list[str]:
            return [message for message in self.messages if all(word in message for word in words)]

        trial.until(what, lambda: bool(found()))
        print(
            "".join(f"       {line}\n" for message in found()[:1] for line in message.splitlines()), end="", flush=True
        )
        for message in found():
            self.messages.remove(message)


class _Request(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.messages.append(json.loads(body)["text"])
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- http.server's name
        """Log nothing."""


@contextmanager
def hook() -> Iterator[Hook]:
    """Listen on loopback."""
    with Hook() as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield listening
        listening.shutdown()


@contextmanager
def injected(running: Sandbox, rule: Rule) -> Iterator[None]:
    """Add a fault rule until the block ends."""
    running.faults.add(rule)
    try:
        yield
    finally:
        running.faults.remove(rule)


def materialize(*days: str) -> None:
    """Launch runs of the four assets, as the UI does."""
    selection = [{"path": [name]} for name in ("bots", "recordings", "mixed_audio", "audio_catalog")]
    graphql(
        "mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) { __typename } }",
        {"p": {"partitionNames": list(days), "assetSelection": selection}},
    )


def execute_check(asset: str, check: str, day: str) -> None:
    """Launch one check alone, as its page in the UI does."""
    parameters: dict[str, Any] = {
        "selector": {
            "repositoryName": "__repository__",
            "repositoryLocationName": "recall_pipeline",
            "pipelineName": "__ASSET_JOB",
            "assetSelection": [],
            "assetCheckSelection": [{"assetKey": {"path": [asset]}, "name": check}],
        },
        "mode": "default",
        "executionMetadata": {"tags": [{"key": "dagster/partition", "value": day}]},
    }
    launched = graphql(
        "mutation($p: ExecutionParams!) { launchPipelineExecution(executionParams: $p)"
        " { __typename ... on PythonError { message } } }",
        {"p": parameters},
    )["launchPipelineExecution"]
    assert launched["__typename"] == "LaunchRunSuccess", launched


if __name__ == "__main__":
    sys.exit(main())
