"""The archive can be left: a sample of it is listed with DuckDB and decoded with PyAV, without any code of ours."""

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from recall_pipeline_tests.golden.conftest import ROWS, STORED
from recall_pipeline_tests.golden.world import FIRST, LAST

_SAMPLE = 4
_RESTORE = """
import hashlib, json, sys
from pathlib import Path

for package in ("recall_pipeline", "recall_sandbox", "recall_transcripts"):
    sys.modules[package] = None  # an import of it fails
import av, duckdb

root = Path(sys.argv[1])
tables = duckdb.sql(
    f"select * from read_parquet('{root}/audio_catalog/*/*.parquet', hive_partitioning=true, union_by_name=true)"
)
names = tables.columns
found = []
for values in tables.fetchall():
    row = dict(zip(names, values))
    for kind, folder in (("source", "mixed_audio"), ("audio", "normalized_audio")):
        uri = row[f"{kind}_uri"]
        if not uri:
            continue
        path = root / uri[uri.rindex(f"{folder}/day="):]
        if path.is_file():
            with av.open(str(path)) as container:
                samples = sum(frame.samples for frame in container.decode(audio=0))
                rate_hz = container.streams.audio[0].rate
            found.append({
                "recording_id": row["recording_id"], "kind": kind, "seconds": samples / rate_hz,
                "is_whole": hashlib.sha256(path.read_bytes()).hexdigest() == row[f"{kind}_sha256"],
                "stated_seconds": row["duration_seconds"],
            })
ours = [name for name, module in sys.modules.items() if name.startswith("recall_") and module is not None]
print(json.dumps({"rows": len(tables), "files": found, "ours": ours}))
"""


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Some recordings of the archive with their files, all tables, and its description, in another place."""
    numbers = random.Random(17)  # noqa: S311 -- not for secrets
    audible = sorted({row["recording_id"] for row in ROWS if row["outcome"] in ("ready", "silent")})
    chosen = numbers.sample(audible, _SAMPLE)
    for path in STORED.rglob("*"):
        is_table = path.suffix == ".parquet" or path.parent == STORED
        if path.is_file() and (is_table or path.parent.name in chosen):
            target = tmp_path / "restored elsewhere" / path.relative_to(STORED)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    return tmp_path / "restored elsewhere"


def restored(root: Path) -> dict[str, Any]:
    """What a program without this project finds in an archive."""
    done = subprocess.run(  # noqa: S603  this interpreter
        [sys.executable, "-I", "-c", _RESTORE, str(root)], cwd="/", capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_sample_of_the_archive_is_listed_and_decoded_without_this_project(sample: Path) -> None:
    found = restored(sample)
    assert found["ours"] == []
    assert found["rows"] == len(ROWS)
    assert len({file["recording_id"] for file in found["files"]}) == _SAMPLE
    assert {file["kind"] for file in found["files"]} == {"source", "audio"}
    assert all(file["is_whole"] for file in found["files"])
    assert all(file["seconds"] == pytest.approx(file["stated_seconds"], abs=0.1) for file in found["files"])


def test_the_tables_of_a_sample_name_every_recording_of_both_days(sample: Path) -> None:
    days = {path.parent.name for path in sample.glob("*/day=*/*.parquet")}
    assert days == {f"day={FIRST}", f"day={LAST}"}
