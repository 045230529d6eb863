"""The archive is fresh if no day that is due waits: a backfill of an old day does not make today fresh."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from recall_pipeline.catalog import CATALOG
from recall_pipeline.days import days_between, end_of
from recall_pipeline.defs.alert_sensor import alerts_sensor
from recall_pipeline.defs.build import build_definitions
from recall_pipeline.defs.freshness import DUE_DAYS_SYNCED
from recall_pipeline.defs.names import Names
from recall_pipeline.discovery import BOTS, RECORDINGS
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive

NOW = datetime(2026, 3, 10, 18, 0, tzinfo=UTC)
FIRST, YESTERDAY = date(2026, 3, 1), date(2026, 3, 9)
CHECK = dg.AssetCheckKey(dg.AssetKey("audio_catalog"), DUE_DAYS_SYNCED)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("alert_sensor", "freshness"):
        monkeypatch.setattr(f"recall_pipeline.defs.{module}.utc_now", lambda: NOW)


@pytest.fixture
def settings(archive: Archive) -> Settings:
    """Settings of an archive in which every day but yesterday is synced."""
    for day in days_between(FIRST, YESTERDAY - timedelta(days=1)):
        sync(archive, day)
    return Settings(storage_url=archive.location.root, start_date=FIRST)


def sync(archive: Archive, day: date, at: datetime | None = None) -> None:
    facts = {"listed_at": (at or end_of(day)).isoformat()}
    for table in (BOTS, MIXED_AUDIO, RECORDINGS, CATALOG):
        table.write(archive, day, [], facts)


def tick(instance: dg.DagsterInstance, settings: Settings) -> list[dg.AssetCheckEvaluation]:
    """Return the results of the check that a first tick of the sensor reports."""
    result = alerts_sensor(settings, Names())(dg.build_sensor_context(instance=instance))
    assert isinstance(result, dg.SensorResult)
    return [event for event in result.asset_events if isinstance(event, dg.AssetCheckEvaluation)]


def execute(settings: Settings) -> Sequence[dg.AssetCheckEvaluation]:
    """Return the results of the check as its page starts it."""
    checks = dg.AssetSelection.checks(CHECK)
    definitions = build_definitions(settings)
    repository = dg.Definitions(
        assets=definitions.assets,
        asset_checks=definitions.asset_checks,
        resources=definitions.resources,
        jobs=[dg.define_asset_job("check", selection=checks, executor_def=dg.in_process_executor)],
    )
    return repository.resolve_job_def("check").execute_in_process().get_asset_check_evaluations()


def test_a_backfill_of_an_old_day_does_not_make_today_fresh(
    instance: dg.DagsterInstance, archive: Archive, settings: Settings
) -> None:
    for name in ("bots", "recordings", "mixed_audio", "audio_catalog"):
        instance.report_runless_asset_event(dg.AssetMaterialization(name, partition=FIRST.isoformat()))
    sync(archive, FIRST, NOW)
    [result] = tick(instance, settings)
    assert not result.passed
    assert str(result.description).startswith(f"{YESTERDAY}: days that are due were not synced: ")
    sync(archive, YESTERDAY, NOW)
    [result] = tick(instance, settings)
    assert result.passed


def test_no_asset_has_a_policy_that_a_backfill_satisfies(settings: Settings) -> None:
    graph = build_definitions(settings).resolve_asset_graph()
    assert {graph.get(key).freshness_policy for key in graph.get_all_asset_keys()} == {None}


def test_dagster_shows_the_last_result_of_the_sensor_on_the_page_of_the_check(
    instance: dg.DagsterInstance, settings: Settings
) -> None:
    for event in tick(instance, settings):  # as Dagster's daemon does
        instance.report_runless_asset_event(event)
    records = instance.event_log_storage.get_latest_asset_check_execution_by_key([CHECK])
    assert records[CHECK].status.value == "FAILED"


def test_the_page_of_the_check_can_start_it(archive: Archive, settings: Settings) -> None:
    [failed] = execute(settings)
    assert not failed.passed
    assert failed.metadata["problems"].value == 1
    sync(archive, YESTERDAY, NOW)
    [passed] = execute(settings)
    assert passed.passed


def test_a_run_of_a_day_leaves_the_check_of_all_days_to_the_sensor(settings: Settings) -> None:
    @dg.asset(partitions_def=dg.DailyPartitionsDefinition("2026-03-01"))
    def audio_catalog() -> None:
        """Stand in for the asset."""

    definitions = build_definitions(settings)
    day_run = dg.Definitions(
        assets=[audio_catalog],
        asset_checks=[each for each in definitions.asset_checks or () if CHECK in each.check_keys],
        jobs=[dg.define_asset_job("sync_day", selection=[audio_catalog], executor_def=dg.in_process_executor)],
        resources=definitions.resources,
    ).resolve_job_def("sync_day")
    result = day_run.execute_in_process(partition_key="2026-03-02")
    assert result.success
    assert "freshness" in {event.step_key for event in result.all_events}
    assert result.get_asset_check_evaluations() == []


def test_an_archive_that_does_not_answer_is_reported_by_an_alert_and_not_as_fresh(
    instance: dg.DagsterInstance, archive: Archive, settings: Settings
) -> None:
    archive.local_path("archive.json").unlink(missing_ok=True)
    archive.local_path("archive.json").mkdir()
    assert tick(instance, settings) == []
