"""Freshness looks at the newest day that has ended: a backfill of an older one does not make it fresh."""

from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from recall_pipeline.days import utc_now
from recall_pipeline.defs.alert_conditions import record_freshness
from recall_pipeline.defs.alert_state import AlertState
from recall_pipeline.defs.freshness import is_stale, newest_day_due
from recall_pipeline.defs.names import Names

BOTS = dg.AssetKey("bots")
OLD = date(2026, 3, 2)


def materialize(instance: dg.DagsterInstance, day: date, key: dg.AssetKey = BOTS) -> None:
    """Report a materialization of now."""
    instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=day.isoformat()))


def in_days(days: int) -> datetime:
    """Noon of a later day, when the day before is due."""
    return datetime.combine(utc_now().date() + timedelta(days=days), datetime.min.time(), UTC) + timedelta(hours=13)


@pytest.mark.parametrize(
    ("hour", "due"), [(0, date(2026, 3, 8)), (11, date(2026, 3, 8)), (12, date(2026, 3, 9)), (23, date(2026, 3, 9))]
)
def test_a_day_is_due_twelve_hours_after_its_end(hour: int, due: date) -> None:
    assert newest_day_due(datetime(2026, 3, 10, hour, tzinfo=UTC)) == due


def test_an_asset_without_any_materialization_is_not_stale(instance: dg.DagsterInstance) -> None:
    assert not is_stale(instance, BOTS, in_days(3))


def test_a_new_archive_is_not_stale_before_its_first_day_is_due(instance: dg.DagsterInstance) -> None:
    materialize(instance, utc_now().date())
    assert not is_stale(instance, BOTS, utc_now())


def test_an_asset_is_stale_when_its_newest_day_was_not_materialized(instance: dg.DagsterInstance) -> None:
    materialize(instance, utc_now().date() - timedelta(days=1))
    assert is_stale(instance, BOTS, in_days(3))


def test_a_day_materialized_only_before_its_end_is_stale(instance: dg.DagsterInstance) -> None:
    materialize(instance, utc_now().date())
    assert is_stale(instance, BOTS, in_days(1))


def test_only_the_newest_day_due_makes_an_asset_fresh(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    materialize(instance, OLD)
    ended = utc_now()  # of the day that is due, as if it were between these materializations
    monkeypatch.setattr("recall_pipeline.defs.freshness.end_of", lambda _: ended)
    materialize(instance, OLD)
    assert is_stale(instance, BOTS)
    materialize(instance, newest_day_due(utc_now()))
    assert not is_stale(instance, BOTS)


def test_a_backfill_of_an_old_day_does_not_end_the_alert(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recall_pipeline.defs.freshness.utc_now", lambda: in_days(3))
    state = AlertState()
    for name in ("bots", "audio_catalog"):
        materialize(instance, utc_now().date(), dg.AssetKey(name))
    record_freshness(instance, state, Names())
    assert set(state.failing) == {"freshness of bots", "freshness of audio_catalog"}
    materialize(instance, OLD)
    record_freshness(instance, state, Names())
    assert "freshness of bots" in state.failing
