"""A live trial of the automation: `python -m recall_pipeline_tests.live.dagster_dev`, about ten minutes.

Starts a real `dagster dev` (webserver and daemon) on the sandbox, with the shortest sensor interval, and then
changes objects upstream. It prints for each step the condition and the time in sensor intervals. It ends with status 1
if an expected event is missing, or an unexpected one occurs.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import yaml

from recall_pipeline.catalog import CATALOG
from recall_pipeline.days import utc_now
from recall_pipeline.settings import Settings, project_folder
from recall_pipeline.storage import open_archive
from recall_sandbox import Rule, Sandbox, World
from recall_sandbox.effects import unavailable
from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording, SandboxStatusChange
from recall_sandbox.speech import Speech

INTERVAL_SECONDS = 30
API_PORT, MEDIA_PORT = 8155, 8156
MEETING_AT = utc_now().replace(microsecond=0) - timedelta(hours=26)
DAY = MEETING_AT.date()


def main() -> int:
    """Run the trial."""
    trial = Trial(Path(tempfile.mkdtemp(prefix="recall-live-")))
    world = World()
    world.add(*meeting(1, finished=False))
    with sandbox(world), dagster(trial):
        trial.quiet("a bot in its meeting asks for nothing", 3)
        finish(world, 1)
        trial.until("a bot that finished is cataloged", lambda: trial.ready() == 1)
        world.add(*meeting(2, finished=True))
        trial.until("a second recording updates the day", lambda: trial.ready() == 2)
        trial.quiet("nothing else runs", 4)
    world.add(*meeting(3, finished=True))
    with sandbox(world), dagster(trial):
        trial.until("the same after a restart of Dagster and the sandbox", lambda: trial.ready() == 3)
        trial.quiet("and nothing else runs", 3)
    with sandbox(world) as running, dagster(trial):
        running.faults.add(Rule(unavailable(503), origin="api", probability=0.5))
        world.add(*meeting(4, finished=True))
        trial.until("the same with half of the API's answers failing", lambda: trial.ready() == 4)
        running.faults.clear()
        backfill(trial, world)
    return 1 if trial.failed else 0


def backfill(trial: "Trial", world: World) -> None:
    """Launch a backfill of five days as the UI does, and check what it reports for each day."""
    days = [str(DAY - timedelta(days=back)) for back in range(20, 25)]
    for place, day in enumerate(days):
        world.add(*meeting(5 + place, finished=True, start=datetime.fromisoformat(f"{day}T12:00:00+00:00")))
    selection = [{"path": [name]} for name in ("bots", "recordings", "mixed_audio", "audio_catalog")]
    launched = graphql(
        "mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p)"
        " { __typename ... on LaunchBackfillSuccess { backfillId } } }",
        {"p": {"partitionNames": days, "assetSelection": selection}},
    )["launchPartitionBackfill"]
    query = "query($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }"

    def is_over() -> bool:
        found = graphql(query, {"id": launched["backfillId"]})["partitionBackfillOrError"]
        return bool(found["status"] == "COMPLETED_SUCCESS")

    trial.until("a backfill of five days ends green", is_over)
    with dg.DagsterInstance.from_config(str(trial.home)) as instance:
        ready_by_day = {}
        for record in instance.fetch_materializations(dg.AssetKey("audio_catalog"), limit=100).records:
            materialization = record.asset_materialization
            if materialization and record.partition_key in days:
                ready_by_day[record.partition_key] = materialization.metadata["ready"].value
    trial.say("each day reports its own numbers", str(ready_by_day), ready_by_day == dict.fromkeys(days, 1))


def graphql(query: str, variables: dict[str, Any]) -> dict[str, Any]:
    """Query Dagster's webserver, as its UI does."""
    answer = httpx.post("http://127.0.0.1:3155/graphql", json={"query": query, "variables": variables}, timeout=60)
    result: dict[str, Any] = answer.json()
    if "errors" in result:
        raise RuntimeError(str(result["errors"]))
    data: dict[str, Any] = result["data"]
    return data


class Trial:
    """An archive and a Dagster home in one folder."""

    def __init__(self, folder: Path, patience_seconds: float = 240, **settings: str) -> None:
        self.folder, self.home = folder, folder / "dagster_home"
        self.patience_seconds, self.settings = patience_seconds, settings
        self.archive = open_archive(Settings(storage_url=str(folder / "data")))
        self.home.mkdir()
        shipped = yaml.safe_load((project_folder() / "dagster.yaml").read_text())
        kept = {k: v for k, v in shipped.items() if k not in ("storage", "local_artifact_storage", "compute_logs")}
        (self.home / "dagster.yaml").write_text(yaml.safe_dump(kept))
        self.failed = False

    def environment(self) -> dict[str, str]:
        """Return the environment of `dagster dev`."""
        ours = {
            "RECALL_API_URL": f"http://127.0.0.1:{API_PORT}/api/v1",
            "RECALL_API_KEY": Sandbox(World()).api_key,
            "RECALL_STORAGE_URL": str(self.folder / "data"),
            "RECALL_SENSOR_INTERVAL_SECONDS": str(INTERVAL_SECONDS),
            "DAGSTER_HOME": str(self.home),
            "PYTHONPATH": str(project_folder()),
        }
        return {**os.environ, **ours, **self.settings}

    def ready(self, day: date = DAY) -> int:
        """Return how many recordings of a day the catalog calls ready."""
        return sum(row.outcome == "ready" for row in CATALOG.read(self.archive, day) or [])

    def runs(self) -> list[str]:
        """Return day and status of every run so far."""
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            return [f"{run.tags.get('dagster/partition')} {run.status.value}" for run in instance.get_runs()]

    def process_of_a_run(self) -> int:
        """Wait for a run with the tag of its process; return the process id."""
        started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
        found: list[int] = []

        def is_found() -> bool:
            with dg.DagsterInstance.from_config(str(self.home)) as instance:
                tags = [run.tags.get("recall_pipeline/process", "") for run in instance.get_runs(started)]
            found.extend(int(tag.rpartition(":")[2]) for tag in tags if tag)
            return bool(found)

        self.until("a run says where it lives", is_found)
        return found[0]

    def check_of_due_days(self) -> str | None:
        """Return the last result of the check `due_days_synced`."""
        key = dg.AssetCheckKey(dg.AssetKey("audio_catalog"), "due_days_synced")
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            found = instance.event_log_storage.get_latest_asset_check_execution_by_key([key]).get(key)
        return found.status.value if found else None

    def until(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait for a condition, and print how many sensor intervals it took."""
        started = time.monotonic()
        while not condition() and time.monotonic() - started < self.patience_seconds:
            time.sleep(1)
        intervals = (time.monotonic() - started) / INTERVAL_SECONDS
        self.say(what, f"after {intervals:.1f} sensor intervals", condition())

    def quiet(self, what: str, intervals: int) -> None:
        """Wait for some intervals in which no run may start."""
        before = self.runs()
        time.sleep(intervals * INTERVAL_SECONDS)
        self.say(what, f"{len(before)} runs so far", len(self.runs()) == len(before))

    def say(self, what: str, measured: str, well: bool) -> None:
        """Print the verdict on one step."""
        self.failed = self.failed or not well
        print(f"{'ok  ' if well else 'FAIL'} {what}: {measured}", flush=True)
        if not well:
            print("\n".join(self.runs()))


@contextmanager
def sandbox(world: World) -> Iterator[Sandbox]:
    """Serve `world` on fixed ports."""
    with Sandbox(world, api_port=API_PORT, media_port=MEDIA_PORT).running() as running:
        yield running


@contextmanager
def dagster(trial: Trial, workspace: Path | None = None, port: int = 3155) -> Iterator[None]:
    """Run `dagster dev` until the block ends."""
    workspace = workspace or project_folder() / "workspace.yaml"
    signal.signal(signal.SIGINT, signal.default_int_handler)  # else it is ignored here and below in a job of a shell
    program = [sys.executable, "-m", "dagster", "dev", "--workspace", str(workspace), "--port", str(port)]
    with (trial.folder / "dagster.log").open("a") as log:
        running = subprocess.Popen(program, cwd=trial.folder, env=trial.environment(), stdout=log, stderr=log)  # noqa: S603
        try:
            yield
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(timeout=120)


def meeting(
    number: int, *, finished: bool, start: datetime | None = None
) -> Iterator[SandboxBot | SandboxRecording | Artifact]:
    """Yield a meeting on `DAY` by default, finished or in progress."""
    start = start or MEETING_AT + timedelta(minutes=number)
    end = start + timedelta(seconds=20)
    bot_id, recording_id, audio_id = (f"00000000-0000-4000-8000-0000000{kind}000{number}" for kind in (1, 2, 3))
    history = [SandboxStatusChange("joining_call", start), SandboxStatusChange("in_call_recording", start)]
    history += [SandboxStatusChange("done", end)] if finished else []
    yield SandboxBot(
        bot_id, "Archive Bot", "zoom", {"meeting_id": "1", "platform": "zoom"}, None, start, tuple(history)
    )
    status = "done" if finished else "processing"
    yield SandboxRecording(
        recording_id, bot_id, start, start, end if finished else None, end, status, shortcut_id=audio_id
    )
    yield Artifact(audio_id, recording_id, start, end, Speech(10) if finished else None, status)


def finish(world: World, number: int) -> None:
    """End a meeting, and complete its MP3."""
    bot_id, recording_id, audio_id = (f"00000000-0000-4000-8000-0000000{kind}000{number}" for kind in (1, 2, 3))
    bot = world.bots.get(bot_id)
    assert bot is not None
    world.change_bot(bot_id, status_changes=(*bot.status_changes, SandboxStatusChange("done", utc_now())))
    world.finish_recording(recording_id)
    world.finish_artifact(audio_id, Speech(10))


if __name__ == "__main__":
    sys.exit(main())
