"""A sync that changed nothing leaves what is built on a day fresh; one that changed something does not."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import dagster as dg
import pytest

# What the UI's "Unsynced" asks. There is no public way to ask it.
from dagster._core.definitions.data_version import CachingStaleStatusResolver
from dagster._core.loader import LoadingContextForTest

from recall_pipeline.defs import build_definitions, day_partitions
from recall_pipeline.settings import Settings
from recall_pipeline_tests.workspace import DAY, Workspace, talk
from recall_sandbox import Sandbox

BEFORE = DAY - timedelta(days=1)
OURS = ("bots", "recordings", "mixed_audio", "audio_catalog")


@dg.asset(partitions_def=day_partitions(Settings()), deps=["audio_catalog"])
def transcripts() -> None:
    """Stand in for what another team makes of a day."""


DOWNSTREAM = dg.Definitions(assets=[transcripts], jobs=[dg.define_asset_job("transcribe", selection=[transcripts])])


class Orchestra:
    """Runs jobs on one Dagster instance, and says what Dagster thinks of a day afterwards."""

    def __init__(self, instance: dg.DagsterInstance, workspace: Workspace) -> None:
        self.instance, self.workspace = instance, workspace
        self.definitions = dg.Definitions.merge(build_definitions(workspace.settings), DOWNSTREAM)

    def sync(self, *only: str) -> None:
        """Sync the day: all four assets, or some."""
        selection = [dg.AssetKey(name) for name in only or OURS]
        self._run("sync_day", partition_key=DAY.isoformat(), asset_selection=selection)

    def sync_both_days(self) -> None:
        """Sync the day and the one before in a single run."""
        span = {
            "dagster/asset_partition_range_start": BEFORE.isoformat(),
            "dagster/asset_partition_range_end": DAY.isoformat(),
        }
        self._run("sync_day", tags=span)

    def transcribe(self) -> None:
        """Let the other team work on the day."""
        self._run("transcribe", partition_key=DAY.isoformat())

    def stale(self) -> set[str]:
        """Return the assets whose partition of the day is out of date."""
        graph = self.definitions.get_repository_def().asset_graph
        resolver = CachingStaleStatusResolver(self.instance, graph, LoadingContextForTest(self.instance))
        statuses = {
            name: resolver.get_status(dg.AssetKey(name), DAY.isoformat()).value for name in (*OURS, "transcripts")
        }
        assert "MISSING" not in statuses.values()
        return {name for name, status in statuses.items() if status == "STALE"}

    def _run(self, job: str, **how: object) -> None:
        assert self.definitions.resolve_job_def(job).execute_in_process(instance=self.instance, **how).success  # type: ignore[arg-type]


@pytest.fixture
def orchestra(sandbox: Sandbox, settings: Settings) -> Iterator[Orchestra]:
    with dg.DagsterInstance.ephemeral() as instance:
        workspace = Workspace(sandbox, settings.model_copy(update={"workers": "1"}))
        workspace.meet("one", talk())
        yield Orchestra(instance, workspace)


def test_a_sync_that_changed_nothing_leaves_everything_fresh(orchestra: Orchestra) -> None:
    orchestra.sync()
    orchestra.transcribe()
    orchestra.sync()
    assert orchestra.stale() == set()


def test_a_sync_that_changed_a_day_makes_stale_what_others_built_on_it_until_they_build_again(
    orchestra: Orchestra,
) -> None:
    orchestra.sync()
    orchestra.transcribe()
    orchestra.workspace.meet("two", talk(1))
    orchestra.sync()
    assert orchestra.stale() == {"transcripts"}
    orchestra.transcribe()
    assert orchestra.stale() == set()


def test_a_changed_asset_makes_only_the_next_asset_stale(orchestra: Orchestra) -> None:
    orchestra.sync()
    orchestra.transcribe()
    orchestra.workspace.meet("two", talk(1))
    for changed, follower in pairwise((*OURS, "transcripts")):
        orchestra.sync(changed)
        assert orchestra.stale() == {follower}


def test_a_range_synced_again_in_one_run_makes_stale_only_what_has_changed(orchestra: Orchestra) -> None:
    orchestra.sync_both_days()
    orchestra.transcribe()
    orchestra.sync_both_days()
    assert orchestra.stale() == set()
    orchestra.workspace.meet("two", talk(1))
    orchestra.sync_both_days()
    assert orchestra.stale() == {"transcripts"}
