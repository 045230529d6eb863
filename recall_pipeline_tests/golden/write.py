"""Write the archive `2026-11`, and what is expected of it. A record: it runs at commit 08e558e and at no other.

    python -m recall_pipeline_tests.golden.write /srv/recall-archive

syncs twice, transcribes, forgets one recording, keeps two webhook events, and writes `expected.json` beside this file.
The folder is then copied to `2026-11`. It has to be at an absolute path that names no machine: rows hold URIs.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq

from recall_pipeline.downstream import RecallCatalog
from recall_pipeline.settings import Settings
from recall_pipeline.storage import open_archive
from recall_pipeline.webhooks import Event, EventStore
from recall_pipeline_tests.golden import world
from recall_pipeline_tests.transcripts.meetings import TestEngine
from recall_sandbox import Sandbox
from recall_transcripts.definitions import transcripts
from recall_transcripts.run_context import Transcription

COMMIT = "08e558e"
DAYS = ("--from", world.FIRST.isoformat(), "--to", world.LAST.isoformat())
COLUMNS = ("recording_id", "audio_id", "outcome", "cataloged_at", "source_sha256", "audio_sha256", "audio_samples")


def main(root: Path) -> None:
    """Write the archive at `root`, which must not exist, and its expectations."""
    root.mkdir(parents=True)
    served = world.as_first_synced()
    with tempfile.TemporaryDirectory() as home, Sandbox(served, list_per_minute=None).running() as sandbox:
        os.environ |= {
            "DAGSTER_HOME": home,
            "RECALL_API_KEY": sandbox.api_key,
            "RECALL_API_URL": sandbox.api_url,
            "RECALL_STORAGE_URL": str(root),
        }
        sandbox.faults.add(world.download_fails())
        _run(1, "sync", *DAYS)
        _transcribe()
        world.move_on(served)
        _run(1, "sync", *DAYS)
        _run(0, "forget", "--recording", *world.recording_ids("let-go"), "--reason", "request 17", "--yes")
        _transcribe()
    _keep_events(root)
    expected = {"commit": COMMIT, "written_at": str(root), "rows": _rows(root), "files": _files(root)}
    text = json.dumps(expected, indent=1, ensure_ascii=False, sort_keys=True)
    Path(__file__).with_name("expected.json").write_text(f"{text}\n", "utf-8")


def _run(status: int, *arguments: str) -> None:
    """Run a command; a sync ends with 1, since one download fails."""
    done = subprocess.run([sys.executable, "-m", "recall_pipeline", *arguments], check=False)  # noqa: S603
    assert done.returncode == status, arguments


def _transcribe() -> None:
    """Transcribe both days with the engine of the tests."""
    resources = {"recall_catalog": RecallCatalog(), "transcription": Transcription(engine=lambda _: TestEngine())}
    with dg.DagsterInstance.ephemeral() as instance:
        for day in (world.FIRST, world.LAST):
            dg.materialize([transcripts], resources=resources, instance=instance, partition_key=day.isoformat())


def _keep_events(root: Path) -> None:
    """Keep one event that the sensor has looked at, and one that waits."""
    store = EventStore(open_archive(Settings(storage_url=str(root))))
    for name, key, hour in (("msg_drained", "plain", 9), ("msg_waiting", "unicode", 8)):
        at = datetime(2026, 11, 28 if hour == 9 else 29, hour, 1, tzinfo=UTC)
        (recording_id,), (audio_id,) = world.recording_ids(key), world.audio_ids(key)
        store.store(Event(name, "audio_mixed.done", at, at, recording_id, None, audio_id))
        if name == "msg_drained":
            store.mark_consumed(store.pending(), date(2026, 11, 28))


def _rows(root: Path) -> dict[str, list[dict[str, object]]]:
    """The rows of the catalog by day, in the columns that tests compare."""
    tables = sorted(root.glob("audio_catalog/day=*/audio_catalog.parquet"))
    return {path.parent.name.removeprefix("day="): [_plain(row) for row in _read(path)] for path in tables}


def _read(path: Path) -> list[dict[str, object]]:
    return pq.ParquetFile(path).read(columns=list(COLUMNS)).to_pylist()


def _plain(row: dict[str, object]) -> dict[str, object]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}


def _files(root: Path) -> dict[str, str]:
    """The SHA-256 of each file, by its key."""
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
