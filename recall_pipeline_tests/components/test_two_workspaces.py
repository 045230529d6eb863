"""Two archives of two workspaces in one process: equal ids, different keys, nothing of one in the other."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster._serdes import serialize_value
from pydantic import SecretStr

from recall_pipeline import Settings, build_definitions
from recall_pipeline.errors import RecallError, RecallThrottled
from recall_pipeline.recall_api import LEDGER, BudgetShare, open_client
from recall_pipeline_tests.components.conftest import Project
from recall_pipeline_tests.storages import stored
from recall_pipeline_tests.workspace import DAY, Workspace, an_id, settings_for, talk
from recall_sandbox import Sandbox, World

pytestmark = [  # of Dagster, about itself
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
KEYS = {"eu": "key-of-the-eu-workspace", "us": "key-of-the-us-workspace"}


def requests_granted(*settings: Settings) -> list[int]:
    """Return how many requests to one endpoint clients of these settings may send at once, one after the other."""

    async def count(of_client: Settings) -> int:
        async with open_client(of_client, limit=lambda budget: BudgetShare(budget, 100)) as client:
            for granted in range(100):
                try:
                    await client.bot(an_id("a bot"))
                except RecallThrottled:
                    return granted
                except RecallError:  # the sandbox has one key; a refused request counts too
                    pass
        return 100

    return [asyncio.run(count(each)) for each in settings]


@dataclass(frozen=True)
class Synced:
    """What both archives have after a sync of one day, and what Dagster keeps of it."""

    project: Project
    repository: dg.RepositoryDefinition
    instance: dg.DagsterInstance
    files: dict[str, dict[str, bytes]]
    audio_ids: dict[str, str]


@pytest.fixture
def synced(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Synced]:
    """Sync a day of two workspaces, in which a recording and its MP3 have equal ids and different audio."""
    with ExitStack() as stack:
        audio_ids = {}
        for number, (name, key) in enumerate(KEYS.items()):
            served = Sandbox(World(), api_key=key, list_per_minute=None, object_per_minute=None)
            sandbox = stack.enter_context(served.running())
            workspace = Workspace(sandbox, settings_for(sandbox, str(tmp_path / "unused")))
            (artifact,) = workspace.meet("standup", talk(number))
            audio_ids[name] = artifact.id
            monkeypatch.setenv(f"{name.upper()}_KEY", key)
            attributes = {"api_url": sandbox.api_url, "storage_url": f"data/{name}", "start_date": DAY.isoformat()}
            project.add(name, name=name, api_key=f"{{{{ env.{name.upper()}_KEY }}}}", workers=1, **attributes)
        repository = project.load()
        instance = stack.enter_context(dg.DagsterInstance.ephemeral())
        for name in KEYS:
            job = repository.get_job(f"{name}_sync_day")
            assert job.execute_in_process(instance=instance, partition_key=DAY.isoformat()).success
        files = {name: stored(str(project.root / "data" / name)) for name in KEYS}
        yield Synced(project, repository, instance, files, audio_ids)


def test_each_archive_has_exactly_its_own_recording_although_the_ids_are_equal(synced: Synced) -> None:
    assert synced.audio_ids["eu"] == synced.audio_ids["us"]
    key = f"mixed_audio/day={DAY}/{an_id('standup')}/{synced.audio_ids['eu']}.mp3"
    assert synced.files["eu"].keys() == synced.files["us"].keys()
    assert synced.files["eu"][key] != synced.files["us"][key]
    materialized = synced.instance.get_asset_keys()
    assert {key.path[0] for key in materialized} == {"eu", "us"}
    # No key is in a definition, a run, an event or a file.
    definitions = serialize_value(RepositorySnap.from_def(synced.repository))
    runs = [repr(run) + json.dumps(dict(run.tags)) + repr(run.run_config) for run in synced.instance.get_runs()]
    events = [repr(synced.instance.all_logs(run.run_id)) for run in synced.instance.get_runs()]
    ledger = (Path(synced.project.root.parent) / "dagster_home" / LEDGER).read_bytes()
    files = [content for contents in synced.files.values() for content in contents.values()]
    texts = [text.encode() for text in (definitions, *runs, *events)]
    assert [key for key in KEYS.values() if any(key.encode() in each for each in (*texts, *files, ledger))] == []
    # The requests of both keys are counted apart.
    assert ledger.count(b"list bot") >= 2


def test_a_run_that_waits_survives_the_addition_and_the_removal_of_another_archive(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EU_KEY", KEYS["eu"])
    served = Sandbox(World(), api_key=KEYS["eu"], list_per_minute=None, object_per_minute=None)
    with served.running() as sandbox, dg.DagsterInstance.ephemeral() as instance:
        Workspace(sandbox, settings_for(sandbox, str(tmp_path / "unused"))).meet("standup", talk())
        attributes: dict[str, Any] = {"api_url": sandbox.api_url, "start_date": DAY.isoformat(), "workers": 1}

        def waiting(repository: dg.RepositoryDefinition, name: str) -> dg.DagsterRun:
            tags = {"dagster/partition": DAY.isoformat()}
            return instance.create_run_for_job(repository.get_job(f"{name}_sync_day"), tags=tags)

        def run_by(repository: dg.RepositoryDefinition, run: dg.DagsterRun) -> dg.DagsterRunStatus:
            execute_run(InMemoryJob(repository.get_job(run.job_name)), run, instance)
            return instance.get_runs(dg.RunsFilter([run.run_id]))[0].status

        project.add("eu", name="eu", api_key="{{ env.EU_KEY }}", storage_url="data/eu", **attributes)
        of_eu = waiting(project.load(), "eu")
        project.add("us", name="us", api_key="{{ env.EU_KEY }}", storage_url="data/us", **attributes)
        with_both = project.load()
        of_us = waiting(with_both, "us")
        assert run_by(with_both, of_eu) == dg.DagsterRunStatus.SUCCESS
        shutil.rmtree(project.defs / "us")
        with_eu = project.load()
        assert not with_eu.has_job(of_us.job_name)  # its run has no code; Dagster fails it
        for sensor in ("eu_alerts", "eu_finished_bots"):
            context = dg.build_sensor_context(instance, repository_def=with_eu, sensor_name=sensor)
            tick = with_eu.get_sensor_def(sensor).evaluate_tick(context)
            assert not [request for request in tick.run_requests or [] if "us" in str(request.job_name)]
        assert run_by(with_eu, waiting(with_eu, "eu")) == dg.DagsterRunStatus.SUCCESS
    assert (project.root / "data" / "eu" / "audio_catalog").exists()
    assert not (project.root / "data" / "us").exists()


def test_two_keys_of_one_region_have_two_budgets_and_one_key_used_twice_has_one(tmp_path: Path) -> None:
    with Sandbox(World(), api_key=KEYS["eu"]).running() as sandbox:
        eu = settings_for(sandbox, str(tmp_path / "a")).model_copy(update={"object_rpm": 6})
        again = eu.model_copy(update={"storage_url": str(tmp_path / "b")})
        us = eu.model_copy(update={"api_key": SecretStr(KEYS["us"])})
        granted = requests_granted(eu, again, us)
    assert granted[0] > 0
    assert granted == [granted[0], 0, granted[0]]


@pytest.fixture
def names() -> dict[str, Settings]:
    return {name: Settings(storage_url=f"/archives/{name}") for name in ("eu", "us")}


def test_two_results_with_different_names_can_be_merged(names: dict[str, Settings]) -> None:
    definitions = [build_definitions(settings, name) for name, settings in names.items()]
    theirs = dg.Definitions(executor=dg.multiprocess_executor)
    repository = dg.Definitions.merge(*definitions, build_definitions(Settings()), theirs).get_repository_def()
    repository.load_all_definitions()
    assert {key.path[0] for key in repository.asset_graph.materializable_asset_keys} >= {"eu", "us", "bots"}
    pools = {name: repository.asset_graph.get(dg.AssetKey([name, "bots"])).pools for name in names}
    assert pools == {"eu": {"eu_recall_api"}, "us": {"us_recall_api"}}


@pytest.mark.parametrize("name", ["eu", None])
@pytest.mark.parametrize("spelling", ["/archives/eu/", "/archives/x/../eu", "file:///archives/eu"])
def test_two_results_with_one_storage_cannot_be_merged(spelling: str, name: str | None) -> None:
    one = build_definitions(Settings(storage_url="/archives/eu"), name)
    other = build_definitions(Settings(storage_url=spelling), "us")
    with pytest.raises(dg.DagsterInvariantViolationError, match="recall_archive_"):
        dg.Definitions.merge(one, other)
