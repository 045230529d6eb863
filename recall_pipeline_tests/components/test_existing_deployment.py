"""The example is a project that loads, and whose own asset reads both archives."""

import shutil
from pathlib import Path

import dagster as dg
import pytest

from recall_pipeline import Settings
from recall_pipeline.storage import open_archive
from recall_pipeline_tests.citations import ROOT
from recall_pipeline_tests.erasure.old_days import fill

pytestmark = [  # of Dagster, about itself
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the example, with a key for Europe only."""
    folder = tmp_path / "example"
    shutil.copytree(ROOT / "examples" / "existing_deployment", folder)
    monkeypatch.syspath_prepend(str(folder / "src"))
    monkeypatch.setenv("EU_RECALL_API_KEY", "key-of-eu")
    monkeypatch.setenv("US_RECALL_API_KEY", "key-of-us")
    return folder


def test_the_asset_of_the_project_depends_on_both_catalogs_and_reads_them(example: Path) -> None:
    (day, *_) = fill(open_archive(Settings(storage_url=str(example / "data" / "eu"))), 1)
    repository = dg.load_from_defs_folder(path_within_project=example).get_repository_def()
    node = repository.asset_graph.get(dg.AssetKey("meeting_hours"))
    assert node.parent_keys == {dg.AssetKey(["eu", "audio_catalog"]), dg.AssetKey(["us", "audio_catalog"])}
    start = node.partitions_def
    assert start == repository.asset_graph.get(dg.AssetKey(["eu", "audio_catalog"])).partitions_def
    with dg.DagsterInstance.ephemeral() as instance:
        job = repository.get_implicit_job_def_for_assets([node.key])
        assert job is not None
        done = job.get_subset(asset_selection={node.key}).execute_in_process(
            instance=instance, partition_key=str(day), raise_on_error=False
        )
        assert done.success, [event.message for event in done.all_events if event.is_failure]
        (made,) = done.asset_materializations_for_node("meeting_hours")
        assert made.metadata["eu_recordings"].value == 1
        assert made.metadata["us_recordings"].value == 0
