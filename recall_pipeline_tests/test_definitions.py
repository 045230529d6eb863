"""What Dagster loads: everything the contract names, quickly, and touching nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from dagster import AssetKey, DailyPartitionsDefinition

from recall_pipeline.definitions import defs

HEAVY = (
    "pandas",
    "pyarrow",
    "s3fs",
    "av",
    "scipy",
    "numpy",
    "soxr",
    "soundfile",
    "duckdb",
    "pydub",
    "standardwebhooks",
)
LOAD = f"""
import json, sys
from recall_pipeline.definitions import defs
defs.get_repository_def().load_all_definitions()
print(json.dumps([name for name in {HEAVY} if name in sys.modules]))
"""


def load_in(folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Load the code location in a process of its own, in an empty folder."""
    root = Path(__file__).parent.parent
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("RECALL_", "DAGSTER_"))}
    return subprocess.run(  # noqa: S603  this interpreter
        [sys.executable, "-c", LOAD],
        cwd=folder,
        env={**clean, "PYTHONPATH": str(root), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_loads_without_a_key_without_a_heavy_package_and_without_writing(tmp_path: Path) -> None:
    loaded = load_in(tmp_path, RECALL_STORAGE_URL=str(tmp_path / "data"), DAGSTER_HOME=str(tmp_path / "home"))
    assert loaded.returncode == 0, loaded.stderr
    assert json.loads(loaded.stdout) == []
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_setting_is_named_in_the_last_line(tmp_path: Path) -> None:
    loaded = load_in(tmp_path, RECALL_CONCURRENCY="many")
    assert loaded.returncode != 0
    assert "RECALL_CONCURRENCY is wrong" in loaded.stderr.strip().splitlines()[-1]


def test_every_name_of_the_contract_is_there() -> None:
    repository = defs.get_repository_def()
    assert {key.to_user_string() for key in repository.asset_graph.materializable_asset_keys} >= {
        "bots",
        "recordings",
        "mixed_audio",
        "audio_catalog",
    }
    assert repository.has_job("sync_day")
    assert "daily_sync" in {schedule.name for schedule in repository.schedule_defs}
    assert "finished_bots" in {sensor.name for sensor in repository.sensor_defs}


def test_sync_day_selects_the_four_assets() -> None:
    selected = defs.resolve_job_def("sync_day").asset_layer.selected_asset_keys
    assert selected == {AssetKey(name) for name in ("bots", "recordings", "mixed_audio", "audio_catalog")}


@pytest.mark.parametrize("name", ["bots", "recordings", "mixed_audio", "audio_catalog"])
def test_every_asset_is_partitioned_by_utc_day_including_the_current_one(name: str) -> None:
    partitions = defs.get_repository_def().asset_graph.get(AssetKey(name)).partitions_def
    assert isinstance(partitions, DailyPartitionsDefinition)
    assert (partitions.timezone, partitions.end_offset) == ("UTC", 1)


@pytest.mark.parametrize(
    ("asset", "upstream"), [("recordings", "bots"), ("mixed_audio", "recordings"), ("audio_catalog", "mixed_audio")]
)
def test_the_assets_follow_one_another(asset: str, upstream: str) -> None:
    assert defs.get_repository_def().asset_graph.get(AssetKey(asset)).parent_keys == {AssetKey(upstream)}


@pytest.mark.parametrize("name", ["bots", "recordings", "mixed_audio", "audio_catalog"])
def test_every_asset_has_a_description(name: str) -> None:
    node = defs.get_repository_def().asset_graph.get(AssetKey(name))
    assert node.description
    assert node.group_name == "recall"
    assert node.owners == ["team:meeting-audio"]
    assert node.kinds & {"recall", "mp3", "audio"}
    assert {"source": "recall.ai", "privacy": "personal-data"}.items() <= node.tags.items()
