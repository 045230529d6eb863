"""The demo's world, synced twice: once while much goes wrong, over all days in one run, and once more day by day.

One archive is a folder, and the sandbox answers as seen in 2026. The other one is on S3.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg
import pytest
import stamina

from recall_pipeline.days import days_between, utc_now
from recall_pipeline.definitions import defs
from recall_pipeline.defs import RunContext
from recall_pipeline.settings import Settings
from recall_pipeline_tests.storages import stored
from recall_pipeline_tests.workspace import settings_for
from recall_sandbox import AS_SEEN_IN_2026, Access, ExpectedRow, Rule, Sandbox, demo_world
from recall_sandbox.effects import Cut, Effect, error_page, expired_link, throttling, unavailable

_UNLIMITED: dict[str, Any] = {"list_per_minute": None, "object_per_minute": None}
_AFTER_DAYS = frozenset({"clears_meeting_urls", "hides_expired", "deleted_answers_404"})
"""What Recall does some days after a meeting: between the two syncs."""
_RANGE_START, _RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A Dagster instance in memory."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the environment from which sensors and schedules read their settings, as a daemon does."""
    monkeypatch.setenv("RECALL_API_KEY", settings.required_api_key().get_secret_value())
    monkeypatch.setenv("RECALL_API_URL", settings.base_url)
    monkeypatch.setenv("RECALL_STORAGE_URL", settings.storage_url)
    monkeypatch.setenv("RECALL_LIST_RPM", "100000")


@dataclass(frozen=True)
class Sync:
    """One sync: its results, its run context, and what it asked for."""

    results: Sequence[dg.ExecuteInProcessResult]
    run_context: RunContext
    accesses: Sequence[Access]

    def metadata(self, asset: str) -> dict[str | None, dict[str, object]]:
        """The metadata of each partition of the asset, in plain values."""
        materializations = [
            event.materialization for result in self.results for event in result.get_asset_materialization_events()
        ]
        return {
            materialization.partition: {name: value.value for name, value in materialization.metadata.items()}
            for materialization in materializations
            if materialization.asset_key == dg.AssetKey(asset)
        }


@dataclass(frozen=True)
class SyncedWorld:
    """The demo's world, its archive, the variables that lead there, and both syncs of it."""

    sandbox: Sandbox
    settings: Settings
    days: Sequence[date]
    truth: Sequence[ExpectedRow]
    home: Path
    environment: Mapping[str, str]
    first: Sync
    second: Sync
    files_after_first: dict[str, bytes]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("folder", marks=pytest.mark.xdist_group("world")),  # one worker syncs it for all its tests
        pytest.param("s3", marks=pytest.mark.xdist_group("s3")),
    ],
)
def synced(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SyncedWorld]:
    """Sync the demo's days into an archive of each kind."""
    today = utc_now().date()
    days = list(days_between(today - timedelta(days=5), today))
    home = tmp_path_factory.mktemp("home")
    url, environment = str(tmp_path_factory.mktemp("data")), {"DAGSTER_HOME": str(home)}
    if request.param == "s3":
        url = f"s3://{request.getfixturevalue('bucket')}/{uuid4()}"
        environment |= request.getfixturevalue("s3_server").environment
        environment |= {"RECALL_SPOOL_DIR": str(tmp_path_factory.mktemp("spool") / "spool")}
    switches = AS_SEEN_IN_2026 if request.param == "folder" else {}
    with _quiet_environment(environment), _sandbox(today, switches) as sandbox, _instance(home) as instance:
        settings = settings_for(sandbox, url)
        truth = sandbox.world.expected_rows()
        _break_much(sandbox)
        span = {_RANGE_START: days[0].isoformat(), _RANGE_END: days[-1].isoformat()}
        for name in switches.keys() & _AFTER_DAYS:
            setattr(sandbox.behaviour, name, False)
        first = _sync(sandbox, instance, RunContext(settings, days), [{"tags": span}])
        for name in switches.keys() & _AFTER_DAYS:
            setattr(sandbox.behaviour, name, True)
        files = stored(url)
        sandbox.faults.clear()
        second = _sync(
            sandbox, instance, RunContext(settings, days), [{"partition_key": day.isoformat()} for day in days]
        )
        yield SyncedWorld(sandbox, settings, days, truth, home, environment, first, second, files)


@contextmanager
def _quiet_environment(environment: Mapping[str, str]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched, stamina.set_testing(True, attempts=6):
        for name, value in environment.items():
            patched.setenv(name, value)
        yield


@contextmanager
def _sandbox(today: date, switches: Mapping[str, Any]) -> Iterator[Sandbox]:
    pages = {"page_size": 7, "repeat_rows": 2, "join_at_granularity": "date", **_UNLIMITED}
    with Sandbox(demo_world(today), **{**pages, **switches}).running() as sandbox:
        yield sandbox


def _instance(home: Path) -> dg.DagsterInstance:
    return dg.DagsterInstance.local_temp(str(home), overrides={"telemetry": {"enabled": False}})


def _break_much(sandbox: Sandbox) -> None:
    refusals: tuple[Effect, ...] = (throttling("0"), unavailable(502))
    breaks: tuple[Effect, ...] = (error_page(), Cut(4000), unavailable(), expired_link())
    for effect in refusals:
        sandbox.faults.add(Rule(effect, origin="api", times=2))
    for effect in breaks:
        sandbox.faults.add(Rule(effect, origin="media", times=2))


def _sync(
    sandbox: Sandbox, instance: dg.DagsterInstance, run_context: RunContext, runs: Sequence[dict[str, object]]
) -> Sync:
    sandbox.access_log.clear()
    job = defs.resolve_job_def("sync_day")
    resources = {"run_context": dg.ResourceDefinition.hardcoded_resource(run_context)}
    results = [
        job.execute_in_process(instance=instance, resources=resources, **run)  # type: ignore[arg-type]
        for run in runs
    ]
    return Sync(results, run_context, list(sandbox.access_log))
