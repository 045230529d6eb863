"""The sensor requests each day whose catalog changed; the schedule requests each day that is due."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from importlib.util import find_spec

import dagster as dg
import pytest

from recall_pipeline.catalog import CATALOG
from recall_pipeline.downstream import DAYS, RecallCatalog
from recall_pipeline.storage import Archive
from recall_pipeline_tests.transcripts.meetings import publish_recording
from recall_pipeline_tests.workspace import DAY
from recall_transcripts.definitions import catalog_changes, daily_transcripts, defs, transcripts
from recall_transcripts.run_context import Transcription

CATALOG_KEY = dg.AssetKey("audio_catalog")
LATER = date(2026, 3, 5)


@dg.asset(key=CATALOG_KEY, partitions_def=DAYS)
def catalog() -> None:
    """Stands in for the asset of the first code location."""


class Daemon:
    """Evaluates the automation condition with a cursor, as Dagster's daemon does."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self._defs = dg.Definitions(
            assets=[catalog, transcripts],
            resources={"recall_catalog": RecallCatalog(), "transcription": Transcription()},
        )
        self._cursor: object = None

    def materialize(self, key: dg.AssetKey, day: date = DAY) -> None:
        """Report a materialization of a day."""
        self.instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=day.isoformat()))

    def tick(self) -> set[str | None]:
        """Evaluate once and return the requested days."""
        evaluated = dg.evaluate_automation_conditions(
            defs=self._defs,
            instance=self.instance,
            asset_selection=dg.AssetSelection.all(),
            cursor=self._cursor,  # type: ignore[arg-type]
        )
        self._cursor = evaluated.cursor
        return set(evaluated.get_requested_partitions(transcripts.key))


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    """A daemon after a first tick without materializations."""
    with dg.DagsterInstance.ephemeral() as instance:
        daemon = Daemon(instance)
        assert daemon.tick() == set()
        yield daemon


def test_a_day_of_any_age_is_requested_once_when_its_catalog_is_materialized(daemon: Daemon) -> None:
    daemon.materialize(CATALOG_KEY)
    assert daemon.tick() == {DAY.isoformat()}
    assert daemon.tick() == set()


def test_each_day_is_requested_separately(daemon: Daemon) -> None:
    daemon.materialize(CATALOG_KEY)
    daemon.materialize(CATALOG_KEY, LATER)
    assert daemon.tick() == {DAY.isoformat(), LATER.isoformat()}


def test_an_update_right_after_a_transcription_is_not_lost(daemon: Daemon) -> None:
    daemon.materialize(CATALOG_KEY)
    daemon.tick()
    daemon.materialize(transcripts.key)
    daemon.materialize(CATALOG_KEY)
    assert daemon.tick() == {DAY.isoformat()}


def test_an_update_during_a_transcription_is_not_lost(daemon: Daemon) -> None:
    daemon.materialize(CATALOG_KEY)
    daemon.tick()
    daemon.materialize(CATALOG_KEY)
    daemon.materialize(transcripts.key)
    assert daemon.tick() == {DAY.isoformat()}


def requested_days(at: datetime) -> list[str | None]:
    """Evaluate the schedule at a moment, as the daemon does, which refuses unknown partitions."""
    context = dg.build_schedule_context(scheduled_execution_time=at, repository_def=defs.get_repository_def())
    return [request.partition_key for request in daily_transcripts.evaluate_tick(context).run_requests or []]


def test_the_schedule_requests_the_days_that_are_due(stored: Archive) -> None:
    CATALOG.write(stored, DAY, [publish_recording(stored, "one", "question")])
    CATALOG.write(stored, LATER, [])
    assert requested_days(datetime(2026, 3, 6, 3, 41, tzinfo=UTC)) == [DAY.isoformat()]


def test_a_later_start_date_and_an_unreadable_table_do_not_stop_the_schedule(
    stored: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in (DAY, LATER):
        CATALOG.write(stored, day, [publish_recording(stored, "one", "question")])
    monkeypatch.setenv("RECALL_START_DATE", LATER.isoformat())
    assert requested_days(datetime(2026, 3, 6, 3, 41, tzinfo=UTC)) == [LATER.isoformat()]
    monkeypatch.delenv("RECALL_START_DATE")
    with stored.staged_file() as damaged:
        damaged.write_bytes(b"garbage")
        stored.publish(damaged, CATALOG.key(DAY))
    assert requested_days(datetime(2026, 3, 6, 3, 41, tzinfo=UTC)) == [DAY.isoformat(), LATER.isoformat()]
    assert requested_days(datetime.combine(DAY, time.min, UTC)) == [DAY.isoformat()]


def test_what_is_new_runs_before_the_nightly_rest_and_both_before_a_backfill(stored: Archive) -> None:
    CATALOG.write(stored, DAY, [publish_recording(stored, "one", "question")])
    at = datetime(2026, 3, 6, 5, 7, tzinfo=UTC)
    context = dg.build_schedule_context(scheduled_execution_time=at, repository_def=defs.get_repository_def())
    (nightly,) = daily_transcripts.evaluate_tick(context).run_requests or []
    assert int(catalog_changes.run_tags["dagster/priority"]) > int(nightly.tags["dagster/priority"]) > 0


def test_sensor_and_schedule_are_on_by_default_only_if_an_engine_is_installed() -> None:
    is_installed = find_spec("faster_whisper") is not None
    assert (catalog_changes.default_status is dg.DefaultSensorStatus.RUNNING) is is_installed
    assert (daily_transcripts.default_status is dg.DefaultScheduleStatus.RUNNING) is is_installed
