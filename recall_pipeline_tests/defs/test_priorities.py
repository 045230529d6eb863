"""Runs for what is new leave the queue before the nightly ones, and both before a backfill that was queued first."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.test_utils import create_run_for_test
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon

from recall_pipeline.defs import build_definitions
from recall_pipeline.settings import Settings
from recall_pipeline_tests.defs.test_finished_bots_sensor import TODAY
from recall_sandbox import World
from recall_sandbox.demo import demo_meetings
from recall_sandbox.meetings import rows_of

ORIGIN = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "archive"), "sync_day")
TICK = datetime(2026, 3, 10, 2, 23, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    """The demo's meetings, of which nothing is archived."""
    world = World()
    for meeting in demo_meetings():
        world.add(*rows_of(meeting, TODAY))
    return world


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """A Dagster home of its own, with Dagster's default run queue, two runs at once."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dagster.yaml").write_text("concurrency: {runs: {max_concurrent_runs: 2}}\n")
    with dg.DagsterInstance.from_config(str(tmp_path / "home")) as instance:
        yield instance


@pytest.fixture(autouse=True)
def retention(environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_RETENTION_DAYS", "30")


def queue(instance: dg.DagsterInstance, name: str, tags: Mapping[str, str]) -> None:
    """Queue a run, whose place the tags of its request decide."""
    create_run_for_test(
        instance,
        job_name="sync_day",
        tags={**tags, "name": name},
        status=dg.DagsterRunStatus.QUEUED,
        remote_job_origin=ORIGIN,
    )


def next_ones(instance: dg.DagsterInstance) -> list[str]:
    """The names of the runs in the order in which Dagster's daemon would start them now."""
    daemon = QueuedRunCoordinatorDaemon(interval_seconds=1)
    runs = daemon._get_runs_to_dequeue(instance, instance.get_concurrency_config(), None)
    return [run.tags["name"] for run in runs]


@pytest.fixture
def repository(retention: None) -> dg.RepositoryDefinition:
    return build_definitions(Settings.from_environment()).get_repository_def()


def sensor_tags(repository: dg.RepositoryDefinition, instance: dg.DagsterInstance) -> Mapping[str, str]:
    """The tags of a run that the sensor requests."""
    context = dg.build_sensor_context(instance=instance, repository_def=repository)
    return (repository.get_sensor_def("finished_bots").evaluate_tick(context).run_requests or [])[0].tags


def schedule_tags(repository: dg.RepositoryDefinition, name: str) -> Mapping[str, str]:
    """The tags of a run that a schedule requests."""
    context = dg.build_schedule_context(scheduled_execution_time=TICK, repository_def=repository)
    return (repository.get_schedule_def(name).evaluate_tick(context).run_requests or [])[0].tags


@pytest.mark.parametrize("schedule", ["daily_sync", "daily_retention"])
def test_what_is_new_runs_first_then_the_night_then_the_backfill(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, schedule: str
) -> None:
    for number in range(5):
        queue(instance, f"backfill {number}", {})
    queue(instance, "schedule", schedule_tags(repository, schedule))
    queue(instance, "sensor", sensor_tags(repository, instance))
    assert next_ones(instance) == ["sensor", "schedule"]
