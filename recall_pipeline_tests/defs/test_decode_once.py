"""Whether a download also normalizes follows from what else the run materializes."""

import dagster as dg
import pytest

from recall_pipeline import build_definitions
from recall_pipeline.catalog import CATALOG, normalization
from recall_pipeline.settings import Settings
from recall_pipeline_tests.catalog.test_checkpoints import fails
from recall_pipeline_tests.catalog.test_waveforms import in_this_process
from recall_pipeline_tests.workspace import DAY, Workspace, talk
from recall_sandbox import Sandbox

__all__ = ["in_this_process"]
CATALOG_KEY = dg.AssetKey("audio_catalog")


def normalized(workspace: Workspace, instance: dg.DagsterInstance, *assets: str) -> list[object]:
    """Materialize these assets of the day in one run of `sync_day`; return what the catalog's metadata states."""
    result = (
        build_definitions(workspace.settings)
        .resolve_job_def("sync_day")
        .execute_in_process(
            instance=instance, partition_key=f"{DAY}", asset_selection=[dg.AssetKey(name) for name in assets]
        )
    )
    events = result.get_asset_materialization_events()
    return [event.materialization.metadata["normalized"].value for event in events if event.asset_key == CATALOG_KEY]


def test_mixed_audio_alone_normalizes_nothing_and_a_run_with_the_catalog_decodes_once(
    sandbox: Sandbox, settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(sandbox, settings)
    workspace.meet("one", talk())
    assert normalized(workspace, instance, "bots", "recordings", "mixed_audio") == []
    assert (workspace.keys("normalized_audio"), workspace.keys("_normalized")) == ([], [])
    assert normalized(workspace, instance, "audio_catalog") == [1]
    workspace.meet("two", talk(1))
    monkeypatch.setattr(normalization, "normalize_task", fails)
    assert normalized(workspace, instance, "bots", "recordings", "mixed_audio", "audio_catalog") == [1]
    assert [row.outcome for row in CATALOG.read(workspace.archive, DAY) or []] == ["ready", "ready"]
