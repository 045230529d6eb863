"""The asset `fixity` in Dagster: a pass, its checks, its alerts, and the repairs that it leads to."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from recall_pipeline.days import ONE_DAY, clock_replaced, utc_now
from recall_pipeline.defs import build_definitions
from recall_pipeline.defs.alert_fixity import record_fixity
from recall_pipeline.defs.alert_state import AlertState
from recall_pipeline.fixity import FIXITY_KEY, ReadingCycle, read_fixity, run_pass
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive
from recall_pipeline_tests.fixity.stored_days import DAY, put, recording_id, source_key, store
from recall_pipeline_tests.workspace import DAY as DAY_OF_TALKS
from recall_pipeline_tests.workspace import Workspace, talk

TICK = datetime(2026, 3, 10, 5, 37, tzinfo=UTC)
Definitions = dg.Definitions


@contextlib.contextmanager
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def a_pass(definitions: Definitions, dagster: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return definitions.resolve_job_def("check_fixity").execute_in_process(instance=dagster, raise_on_error=False)


def checks(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {each.check_name: each.passed for each in result.get_asset_check_evaluations()}


def metadata(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    [event] = result.get_asset_materialization_events()
    return {name: value.value for name, value in event.materialization.metadata.items()}


def schedule_tick(settings: Settings) -> Any:
    repository = build_definitions(settings).get_repository_def()
    context = dg.build_schedule_context(scheduled_execution_time=TICK, repository_def=repository)
    return repository.get_schedule_def("daily_fixity").evaluate_tick(context)


def repairs(definitions: Definitions, dagster: dg.DagsterInstance) -> list[dg.RunRequest]:
    repository = definitions.get_repository_def()
    sensor = repository.get_sensor_def("fixity_repairs")
    with dg.build_sensor_context(instance=dagster, repository_def=repository) as context:
        return list(sensor.evaluate_tick(context).run_requests or [])


def test_a_pass_reports_what_it_read_and_its_checks_pass(archive: Archive) -> None:
    store(archive, DAY)
    with instance() as dagster:
        result = a_pass(build_definitions(Settings(storage_url=archive.location.root, fixity_days=1)), dagster)
    assert checks(result) == {"all_files_checked_in_time": True, "all_files_intact": True}
    shown = metadata(result)
    assert (shown["dagster/row_count"], shown["checked"], shown["damaged"]) == (6, 6, 0)
    assert shown["bytes_read"] == shown["stored_bytes"] == sum(map(len, map(archive.read, read_fixity(archive))))  # type: ignore[arg-type]
    assert shown["dagster/uri"] == archive.uri(FIXITY_KEY)


def test_damage_and_delay_fail_the_checks(archive: Archive) -> None:
    store(archive, DAY)
    run_pass(archive, ReadingCycle(90), clock=lambda: TICK)
    put(archive, source_key(DAY), b"the originaL")
    definitions = build_definitions(Settings(storage_url=archive.location.root, fixity_days=7))
    with instance() as dagster:
        assert checks(a_pass(definitions, dagster)) == {"all_files_checked_in_time": True, "all_files_intact": False}
        with clock_replaced(lambda: utc_now_plus_years()):
            state = AlertState()
            record_fixity(archive, Settings(storage_url=archive.location.root, fixity_days=7), state, utc_now())
    assert set(state.failing) == {"fixity_cycle of all files", f"fixity_file_changed of {DAY}"}
    assert state.failing["fixity_cycle of all files"].cause.startswith("files were not read back for 7 days: ")


def utc_now_plus_years() -> datetime:
    return datetime.now(UTC) + timedelta(days=800)


def test_an_alert_names_the_damage_with_its_cure_and_ends_after_the_repair(archive: Archive) -> None:
    settings, state = Settings(storage_url=archive.location.root), AlertState()
    store(archive, DAY)
    archive.remove(source_key(DAY))
    run_pass(archive, ReadingCycle(1), clock=lambda: TICK)
    record_fixity(archive, settings, state, TICK)
    thing = f"fixity_file_missing of {DAY}"
    assert state.failing[thing].cause.startswith("fixity found file_missing: A row references a file that is not there")
    assert "Restore it from a backup" in state.failing[thing].cause
    store(archive, DAY)
    run_pass(archive, ReadingCycle(1), clock=lambda: TICK + ONE_DAY)
    record_fixity(archive, settings, state, TICK + ONE_DAY)
    assert state.failing == {}


def test_a_table_fixity_that_cannot_be_read_is_an_alert(archive: Archive) -> None:
    put(archive, FIXITY_KEY, b"no table")
    state = AlertState()
    record_fixity(archive, Settings(storage_url=archive.location.root), state, TICK)
    assert "is not a readable Parquet file" in state.failing["fixity_cycle of all files"].cause


def test_the_schedule_requests_a_pass_a_day_unless_it_is_off(tmp_path: Any) -> None:
    [request] = schedule_tick(Settings(storage_url=str(tmp_path))).run_requests
    assert request.run_key == TICK.isoformat()
    for off in (Settings(storage_url=str(tmp_path), fixity_days="off"), Settings(storage_url="s3://bucket/prefix")):
        assert schedule_tick(off).skip_message == "RECALL_FIXITY_DAYS is off: no file is read back by itself"
    assert schedule_tick(Settings(storage_url="s3://bucket/prefix", fixity_days=30)).run_requests


def test_an_archive_whose_settings_are_faulty_is_not_read() -> None:
    assert schedule_tick(Settings().unusable("EU_KEY is not set")).skip_message == "EU_KEY is not set"


def test_damaged_files_are_made_again_from_upstream_or_from_the_original(workspace: Workspace) -> None:
    [first], [second] = workspace.meet("first", talk()), workspace.meet("second", talk(1))
    workspace.sync()
    archive, settings = workspace.archive, workspace.settings.model_copy(update={"fixity_days": 1, "workers": "1"})
    definitions = build_definitions(settings)
    normalized = next(key for key in workspace.keys("normalized_audio") if second.id in key)
    before = {key: workspace.content(key) for key in (workspace.row(first.id).source_key, normalized)}
    with instance() as dagster:
        assert repairs(definitions, dagster) == []
        for key, content in before.items():
            put(archive, str(key), content[:-1] + bytes([content[-1] ^ 1]))
        assert checks(a_pass(definitions, dagster))["all_files_intact"] is False
        [request] = repairs(definitions, dagster)
        assert request.partition_key == DAY_OF_TALKS.isoformat()
        job = definitions.resolve_job_def("sync_day")
        assert job.execute_in_process(instance=dagster, partition_key=request.partition_key, tags=request.tags).success
        assert checks(a_pass(definitions, dagster)) == {"all_files_checked_in_time": True, "all_files_intact": True}
    assert workspace.content(workspace.row(first.id).source_key) == before[workspace.row(first.id).source_key]


@pytest.fixture
def workspace(sandbox: Any, settings: Settings) -> Workspace:
    return Workspace(sandbox, settings)


@pytest.mark.parametrize("key", ["audio_catalog", "older"])
def test_no_repair_is_requested_where_a_sync_cannot_help(archive: Archive, key: str, settings: Settings) -> None:
    store(archive, DAY)
    if key == "older":
        put(archive, source_key(DAY).replace(".mp3", ".0badcafe.mp3"), b"not what its name states")
    else:
        put(archive, source_key(DAY), b"the originaL")
        put(archive, f"audio_catalog/day={DAY}/audio_catalog.parquet", b"no table")
    definitions = build_definitions(settings.model_copy(update={"fixity_days": 1}))
    with instance() as dagster:
        assert checks(a_pass(definitions, dagster))["all_files_intact"] is False
        assert repairs(definitions, dagster) == []


def test_a_repair_names_the_recordings_of_a_day(archive: Archive, settings: Settings) -> None:
    store(archive, DAY)
    store(archive, DAY + ONE_DAY)
    for day in (DAY, DAY + ONE_DAY):
        archive.remove(source_key(day))
    definitions = build_definitions(settings)
    with instance() as dagster:
        a_pass(definitions, dagster)
        requested = {each.partition_key: each.tags["recall_pipeline/refetch"] for each in repairs(definitions, dagster)}
    assert requested == {f"{day}": recording_id(day) for day in (DAY, DAY + ONE_DAY)}
