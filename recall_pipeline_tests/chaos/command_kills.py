"""Kill commands at random moments: `python -m recall_pipeline_tests.chaos.command_kills [--times 25]`.

For each of `migrate`, `fixity`, `forget` and `release`, a process works on a copy of an archive and gets SIGKILL at a
random moment. A second try must end in the state of an uninterrupted one. The archive is in a folder, or on a real S3
server with `--storage bucket`.
"""

import argparse
import asyncio
import contextlib
import io
import json
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import uuid4

import fsspec
import pyarrow.parquet as pq

from recall_pipeline.audio import Done
from recall_pipeline.erasure import forget, plan_for_request
from recall_pipeline.fixity import ReadingCycle, run_pass
from recall_pipeline.migration import migrate_archive
from recall_pipeline.progress import no_progress, no_step_progress
from recall_pipeline.recall_api import open_client
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, open_archive
from recall_pipeline.upstream_deletion import delete_day
from recall_pipeline_tests.golden.conftest import STORED
from recall_pipeline_tests.golden.world import FIRST, LAST
from recall_pipeline_tests.s3_server import running_s3
from recall_pipeline_tests.workspace import DAY, Workspace, settings_for, talk
from recall_sandbox import Sandbox, World

_BOUND_SECONDS = 120
_TALKS = 6
_CLOCK = datetime(2026, 12, 1, 5, tzinfo=UTC)
_OWN = ("_spool", "archive.json", "README.txt")
_PROCESSES = multiprocessing.get_context("forkserver")
_IMPORTED_LATER = ("pandas", "pyarrow.compute", "s3fs")  # by the first table; most kills would hit their import


def _migrate(archive: Archive, _: Settings) -> None:
    migrate_archive(archive, no_step_progress)


def _fixity(archive: Archive, _: Settings) -> None:
    run_pass(archive, ReadingCycle(1), clock=lambda: _CLOCK)


def _forget(archive: Archive, _: Settings) -> None:
    forget(archive, plan_for_request(archive, before=LAST + timedelta(days=1)), "kills", no_progress)


def _release(archive: Archive, settings: Settings) -> None:
    async def release() -> None:
        async with open_client(settings) as client:
            await delete_day(client, archive, settings, DAY, "kills", no_step_progress)

    asyncio.run(release())


COMMANDS: Mapping[str, Callable[[Archive, Settings], None]] = {
    "migrate": _migrate,
    "fixity": _fixity,
    "forget": _forget,
    "release": _release,
}


def _in_process(command: str, settings: Settings, environment: Mapping[str, str], pipe: Connection) -> None:
    """Do the work of a command; report its beginning and its end."""
    from recall_pipeline.fixity import fixity_pass
    from recall_pipeline.verification import day_verification

    def checks(check: Callable[[Any], Any], files: list[Any], **_: Any) -> Iterator[Done[Any, Any]]:
        return (Done(file, check(file), None) for file in files)

    vars(day_verification)["run_tasks"] = checks  # processes of workers take longer to start than the files to read
    vars(fixity_pass).update(_BATCH_FILES=2, _CHECKPOINT_AFTER=timedelta())  # so that every few files are saved
    os.environ.update(environment)
    archive = open_archive(settings)
    pipe.send("began")
    COMMANDS[command](archive, settings)
    pipe.send("ended")


@dataclass
class Report:
    """Kills by command, tries that ended before their kill, and what was wrong."""

    kills: dict[str, int] = field(default_factory=dict)
    too_late: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass
class _Place:
    """Where copies of an archive go: a folder, or a bucket with its environment."""

    folder: Path
    bucket: str | None = None
    environment: dict[str, str] = field(default_factory=dict)

    def copy(self, original: Path) -> str:
        """Return the URL of a new copy."""
        if self.bucket is None:
            return str(shutil.copytree(original, self.folder / uuid4().hex))
        url = f"s3://{self.bucket}/{uuid4()}"
        files = fsspec.filesystem("s3", endpoint_url=self.environment["AWS_ENDPOINT_URL"])
        for path in original.rglob("*"):
            if path.is_file():
                files.pipe_file(f"{url}/{path.relative_to(original)}", path.read_bytes())
        return url

    def state(self, url: str) -> dict[str, Any]:
        """Return the content of every file by key: rows of tables without moments, bytes of others."""
        options = {"endpoint_url": self.environment["AWS_ENDPOINT_URL"]} if self.bucket else {}
        files = fsspec.filesystem("s3" if self.bucket else "file", use_listings_cache=False, **options)
        root = files._strip_protocol(url)
        keys = {name: name.removeprefix(root).lstrip("/") for name in files.find(root)}
        contents = {key: files.cat_file(name) for name, key in keys.items() if not key.startswith(_OWN)}
        return {key: _comparable(key, content, url) for key, content in sorted(contents.items())}


def _comparable(key: str, content: bytes, url: str) -> Any:
    if not key.endswith(".parquet"):
        return content
    rows = pq.ParquetFile(io.BytesIO(content)).read().to_pylist()
    return json.dumps(rows, default=lambda _: "a moment").replace(url, "the archive")


def run(folder: Path, times: int, seed: int, storage: str, commands: tuple[str, ...] = tuple(COMMANDS)) -> Report:
    """Kill each command `times` times, and compare the final archives with those of uninterrupted ones."""
    _PROCESSES.set_forkserver_preload(["recall_pipeline_tests.chaos.command_kills", *_IMPORTED_LATER])
    report, rng = Report(), random.Random(seed)  # noqa: S311 -- not for secrets
    with contextlib.ExitStack() as running:
        place = _Place(folder)
        if storage == "bucket":
            (folder / "s3").mkdir()
            server = running.enter_context(running_s3(folder / "s3"))
            os.environ.update(server.environment)
            place = _Place(
                folder, server.new_bucket(), {**server.environment, "RECALL_SPOOL_DIR": str(folder / "spool")}
            )
        trials = [_Trial(place, command, rng, report) for command in commands]
        for _ in range(times):
            for trial in trials:
                trial.kill_once()
            print(report.kills, report.wrong, file=sys.stderr, flush=True)
    return report


class _Trial:
    def __init__(self, place: _Place, command: str, rng: random.Random, report: Report) -> None:
        self._place, self._command, self._rng, self._report = place, command, rng, report
        self._work_seconds = 0.0
        self._original = self._synced() if command == "release" else STORED
        report.kills[command] = 0
        self._expected = self._outcome(None)
        self._lasts_seconds = self._work_seconds
        if self._expected == (self._place.state(self._place.copy(self._original)), None):
            report.wrong.append(f"{command} changes nothing, so its kills show nothing")

    def kill_once(self) -> None:
        """Kill the command once; tries that end before their kill do not count."""
        number = self._report.kills[self._command]
        while self._report.kills[self._command] == number:
            if self._outcome(self._rng.uniform(0, self._lasts_seconds)) != self._expected:
                self._report.wrong.append(f"{self._command}, kill {number}: ended in another state")

    def _outcome(self, killed_after_seconds: float | None) -> Any:
        """Return the state of a copy, and of what is upstream, after a try that is killed and one that is not."""
        url = self._place.copy(self._original)
        with self._upstream(url) as (settings, deleted):
            if killed_after_seconds is not None:
                self._try(settings, killed_after_seconds)
            self._work_seconds = self._try(settings, None)
            return self._place.state(url), deleted()

    def _try(self, settings: Settings, killed_after_seconds: float | None) -> float:
        ours, theirs = _PROCESSES.Pipe()
        process = _PROCESSES.Process(
            target=_in_process, args=(self._command, settings, self._place.environment, theirs)
        )
        process.start()
        theirs.close()
        assert ours.recv() == "began"
        began = time.monotonic()
        if killed_after_seconds is not None:
            time.sleep(killed_after_seconds)
            is_over = ours.poll()
            process.kill()
            self._report.too_late += is_over
            self._report.kills[self._command] += not is_over
            self._lasts_seconds *= 0.9 if is_over else 1  # the machine is faster than it was at the first try
        else:
            assert ours.poll(_BOUND_SECONDS)
            if ours.recv() != "ended":
                self._report.wrong.append(f"{self._command}: the second try did not end")
        lasted = time.monotonic() - began
        process.join(_BOUND_SECONDS)
        return lasted

    @contextlib.contextmanager
    def _upstream(self, url: str) -> Iterator[tuple[Settings, Callable[[], Any]]]:
        """Give the settings of a copy, and what is deleted upstream; only `release` asks the service."""
        if self._command != "release":
            yield Settings(storage_url=url, start_date=FIRST, workers="1"), lambda: None
            return
        with Sandbox(World(), list_per_minute=None, object_per_minute=None).running() as sandbox:
            settings = settings_for(sandbox, url, workers="1")
            _meet(Workspace(sandbox, settings))
            yield settings, lambda: _deleted(sandbox)

    def _synced(self) -> Path:
        """Sync an archive for `release`, and return its folder."""
        folder = self._place.folder / "synced"
        with Sandbox(World(), list_per_minute=None, object_per_minute=None).running() as sandbox:
            workspace = Workspace(sandbox, settings_for(sandbox, str(folder)))
            _meet(workspace)
            workspace.sync()
        return folder


def _deleted(sandbox: Sandbox) -> list[str]:
    """Return the paths of the MP3s that were deleted upstream."""
    return sorted({access.path for access in sandbox.access_log.only(method="DELETE") if access.status == 204})


def _meet(workspace: Workspace) -> None:
    for number in range(_TALKS):
        workspace.meet(f"talk {number}", talk(number))


def main() -> int:
    """Kill, report, and return 1 for any error."""
    parser = argparse.ArgumentParser(prog="python -m recall_pipeline_tests.chaos.command_kills", description=__doc__)
    parser.add_argument("--times", type=int, default=25, help="kills of each command")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers")
    parser.add_argument("--storage", choices=("folder", "bucket"), default="folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="recall-command-kills-") as folder:
        report = run(Path(folder), options.times, options.seed, options.storage)
    print(f"{sum(report.kills.values())} kills in a {options.storage}: {report.kills}; {report.too_late} came too late")
    print("\n".join(report.wrong) or "no errors")
    return int(bool(report.wrong))


if __name__ == "__main__":
    from recall_pipeline_tests.chaos import command_kills  # whose functions a new process finds by their names

    sys.exit(command_kills.main())
