"""A run whose process is no more is closed; one that may live is left alone."""

import subprocess
import sys

import dagster as dg
import pytest

from recall_pipeline.defs.run_liveness import close_dead_runs, process_tags


def process_tags_of_the_dead() -> dict[str, str]:
    """The tags of a run in a process of this place that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    return {tag: f"{value.rpartition(':')[0]}:{ended.pid}" for tag, value in process_tags().items()}


def status_after_looking(tags: dict[str, str]) -> dg.DagsterRunStatus:
    """What becomes of a running run with these tags."""
    run = dg.DagsterRun(job_name="sync_day", status=dg.DagsterRunStatus.STARTED, tags=tags)
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_run(run)
        close_dead_runs(instance)
        found = instance.get_run_by_id(run.run_id)
    assert found
    return found.status


def test_a_run_whose_process_is_no_more_is_closed() -> None:
    assert status_after_looking(process_tags_of_the_dead()) == dg.DagsterRunStatus.FAILURE


def test_a_retry_that_has_only_the_tags_of_the_run_that_died_is_left_alone() -> None:
    tags = process_tags_of_the_dead()
    died = dg.DagsterRun(job_name="sync_day", status=dg.DagsterRunStatus.FAILURE, tags=tags)
    retry = dg.DagsterRun(
        job_name="sync_day",
        status=dg.DagsterRunStatus.STARTED,
        tags=tags,
        parent_run_id=died.run_id,
        root_run_id=died.run_id,
    )
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_run(died)
        instance.add_run(retry)
        close_dead_runs(instance)
        found = instance.get_run_by_id(retry.run_id)
    assert found
    assert found.status == dg.DagsterRunStatus.STARTED


def test_a_run_that_ended_while_it_was_looked_at_stays_as_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    run = dg.DagsterRun(job_name="sync_day", status=dg.DagsterRunStatus.STARTED, tags=process_tags_of_the_dead())
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_run(run)
        listed = instance.get_runs()
        instance.report_run_canceled(run)
        monkeypatch.setattr(instance, "get_runs", lambda _: listed)
        close_dead_runs(instance)
        found = instance.get_run_by_id(run.run_id)
    assert found
    assert found.status == dg.DagsterRunStatus.CANCELED


def test_a_run_of_another_place_is_left_alone() -> None:
    elsewhere = {tag: f"other-{value}" for tag, value in process_tags_of_the_dead().items()}
    assert status_after_looking(elsewhere) == dg.DagsterRunStatus.STARTED


@pytest.mark.parametrize("tags", [process_tags(), {}], ids=["living", "unknown"])
def test_a_run_that_may_live_is_left_alone(tags: dict[str, str]) -> None:
    assert status_after_looking(tags) == dg.DagsterRunStatus.STARTED
