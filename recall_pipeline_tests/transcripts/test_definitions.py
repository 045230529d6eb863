"""The definitions of the second code location: fast to load, without I/O, linked to the first by an asset key."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dagster import AssetKey, DailyPartitionsDefinition

import recall_transcripts
from recall_pipeline.definitions import defs as pipeline
from recall_pipeline_tests.test_definitions import HEAVY
from recall_transcripts.definitions import defs

ROOT = Path(__file__).parents[2]
LOAD = f"""
import json, sys
from recall_transcripts.definitions import defs
defs.get_repository_def().load_all_definitions()
print(json.dumps([name for name in {(*HEAVY, "faster_whisper", "ctranslate2")} if name in sys.modules]))
"""


def load_in(folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Load the code location in a process of its own, in an empty folder."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RECALL_", "DAGSTER_", "TRANSCRIPTS_"))
    }
    return subprocess.run(  # noqa: S603  this interpreter
        [sys.executable, "-c", LOAD],
        cwd=folder,
        env={**clean, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_loads_no_heavy_package_and_writes_nothing(tmp_path: Path) -> None:
    loaded = load_in(tmp_path, RECALL_STORAGE_URL=str(tmp_path / "data"), DAGSTER_HOME=str(tmp_path / "home"))
    assert loaded.returncode == 0, loaded.stderr
    assert json.loads(loaded.stdout) == []
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_setting_is_named_in_the_last_line(tmp_path: Path) -> None:
    loaded = load_in(tmp_path, TRANSCRIPTS_DEVICE="tpu")
    assert loaded.returncode != 0
    assert "TRANSCRIPTS_DEVICE is wrong" in loaded.stderr.strip().splitlines()[-1]


def test_the_workspace_loads_both_locations() -> None:
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text("utf-8"))
    modules = [entry["python_module"]["module_name"] for entry in workspace["load_from"]]
    assert modules == ["recall_pipeline.definitions", "recall_transcripts.definitions"]


def test_transcripts_depend_on_the_catalog_of_the_other_location_with_the_same_partitions() -> None:
    graph = defs.get_repository_def().asset_graph
    node = graph.get(AssetKey("transcripts"))
    assert node.parent_keys == {AssetKey("audio_catalog")}
    assert graph.materializable_asset_keys == {AssetKey("transcripts")}
    assert isinstance(node.partitions_def, DailyPartitionsDefinition)
    upstream = pipeline.get_repository_def().asset_graph.get(AssetKey("audio_catalog"))
    assert node.partitions_def == upstream.partitions_def


def test_no_name_is_used_by_both_locations() -> None:
    ours, theirs = (
        {
            name
            for names in (r.job_names, [s.name for s in r.schedule_defs], [s.name for s in r.sensor_defs])
            for name in names
        }
        for r in (defs.get_repository_def(), pipeline.get_repository_def())
    )
    assert {name for name in ours & theirs if not name.startswith("__")} == set()


def test_the_pipeline_does_not_refer_to_it() -> None:
    upstream = [path for path in (ROOT / "recall_pipeline").rglob("*.py") if path.name != "downstream.py"]
    assert [path.name for path in upstream if re.search(r"\brecall_transcripts\b", path.read_text("utf-8"))] == []


def test_its_docstring_states_what_belongs_there_and_what_does_not() -> None:
    docstring = recall_transcripts.__doc__ or ""
    assert "Belongs here" in docstring
    assert "Does not belong here" in docstring


@pytest.mark.parametrize("name", ["transcripts"])
def test_every_asset_has_a_description_and_a_group(name: str) -> None:
    node = defs.get_repository_def().asset_graph.get(AssetKey(name))
    assert node.description
    assert node.group_name == "transcripts"
