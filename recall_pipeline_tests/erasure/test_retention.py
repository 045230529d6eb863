"""Retention erases by age if all tables are readable and the clock is plausible, and only up to a limit."""

from datetime import UTC, datetime, timedelta

import pytest

from recall_pipeline.catalog import CATALOG
from recall_pipeline.days import clock_replaced, utc_now
from recall_pipeline.discovery import BOTS, RECORDINGS
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.erasure import forget, retention_plan
from recall_pipeline.erasure.by_age import plan_before
from recall_pipeline.errors import StorageError, UsageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, Layout
from recall_pipeline_tests.erasure.old_days import fill, outcomes

SETTINGS = Settings(retention_limit=100)
TEN_YEARS = timedelta(days=3653)


def test_older_recordings_are_erased_and_newer_ones_are_kept(archive: Archive) -> None:
    days = fill(archive, 6)
    plan = retention_plan(archive, SETTINGS, 3)
    assert list(plan.days) == days[:2]
    forget(archive, plan, "retention", lambda *_: None)
    assert outcomes(archive, days) == ["forgotten"] * 2 + ["ready"] * 4
    assert retention_plan(archive, SETTINGS, 3).days == {}


def test_the_limit_is_a_share_of_the_recordings_that_are_kept(archive: Archive) -> None:
    fill(archive, 20)
    forget(archive, retention_plan(archive, SETTINGS, 10), "retention", lambda *_: None)
    with pytest.raises(UsageError, match="1 of 11 recordings would be erased by age, but the limit of one run is 0"):
        retention_plan(archive, Settings(retention_limit=0), 9)
    assert retention_plan(archive, Settings(), 9).recordings == 1
    with pytest.raises(UsageError, match="2 of 11 recordings would be erased by age, but the limit of one run is 1"):
        retention_plan(archive, Settings(), 8)


def test_an_interrupted_erasure_is_planned_again(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    days = fill(archive, 4)
    plan = retention_plan(archive, SETTINGS, 1)

    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Archive, "remove_below", broken)
        with pytest.raises(KeyboardInterrupt):
            forget(archive, plan, "retention", lambda *_: None)
    assert list(retention_plan(archive, SETTINGS, 1).days) == days[:2]


@pytest.mark.on_disk
@pytest.mark.parametrize("day", range(3))
@pytest.mark.parametrize("table", [BOTS, RECORDINGS, MIXED_AUDIO, CATALOG])
def test_an_unreadable_table_costs_its_own_day(archive: Archive, table: object, day: int) -> None:
    days = fill(archive, 3)
    name = table.name  # type: ignore[attr-defined]
    archive.local_path(Layout.table(name, days[day])).write_bytes(b"damaged")
    done = forget(archive, retention_plan(archive, SETTINGS, 1), "retention", lambda *_: None)
    old = days[:1]  # the last two are kept
    assert done.days == [each for each in old if each != days[day]]
    assert list(done.faults) == [each for each in old if each == days[day]]
    assert all(f"{name}.parquet is not a readable Parquet file" in fault for fault in done.faults.values())


@pytest.mark.on_disk
def test_a_failed_listing_of_the_storage_stops_it(archive: Archive) -> None:
    fill(archive, 3)
    folder = archive.local_path("audio_catalog")
    folder.rename(folder.with_name("moved away"))
    folder.write_text("a file where a folder was")
    with pytest.raises(StorageError, match="cannot list audio_catalog"):
        retention_plan(archive, SETTINGS, 1)


def test_an_empty_archive_stops_it(archive: Archive) -> None:
    with pytest.raises(UsageError, match=r"no recordings in the archive at .*: check RECALL_STORAGE_URL"):
        retention_plan(archive, SETTINGS, 1)


@pytest.mark.parametrize("jump", [TEN_YEARS, -TEN_YEARS])
def test_a_wrong_clock_stops_it(archive: Archive, jump: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(archive, 3)
    jumped = utc_now() + jump
    monkeypatch.setattr("recall_pipeline.erasure.safety_checks.utc_now", lambda: jumped)
    with pytest.raises(UsageError, match=r"last listed .* and the clock says .*: sync first, or correct the clock"):
        retention_plan(archive, SETTINGS, 1)


def test_a_clock_that_was_wrong_during_the_last_sync_reaches_the_limit(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    jumped = utc_now() + TEN_YEARS
    fill(archive, 20, listed_at=jumped)
    monkeypatch.setattr("recall_pipeline.erasure.safety_checks.utc_now", lambda: jumped)
    monkeypatch.setattr("recall_pipeline.erasure.retention.utc_now", lambda: jumped)
    with pytest.raises(UsageError, match="20 of 20 recordings would be erased by age, but the limit of one run is 2"):
        retention_plan(archive, Settings(), 365)


def test_an_archive_that_was_never_listed_stops_it(archive: Archive) -> None:
    (day,) = fill(archive, 1)
    RECORDINGS.write(archive, day, RECORDINGS.read(archive, day) or [])
    with pytest.raises(UsageError, match="the archive was never listed"):
        retention_plan(archive, SETTINGS, 1)


@pytest.mark.parametrize(("limit", "is_refused"), [(None, True), (1, True), (2, False), (0, True)])
def test_a_plan_above_the_limit_is_refused(archive: Archive, limit: int | None, is_refused: bool) -> None:
    days = fill(archive, 12)
    settings = Settings(retention_limit=limit)
    if is_refused:
        with pytest.raises(
            UsageError, match=r"2 of 12 recordings would be erased by age, but the limit of one run is [01]:"
        ):
            retention_plan(archive, settings, 9)
    else:
        assert list(retention_plan(archive, settings, 9).days) == days[:2]


@pytest.mark.parametrize(("days", "a_day", "kept"), [(4, 3, 3), (9, 2, 8), (3, 40, 2), (2, 1, 1), (8, 1, 7)])
def test_a_whole_day_may_always_be_erased_however_short_the_recordings_are_kept(
    archive: Archive, days: int, a_day: int, kept: int
) -> None:
    filled = fill(archive, days, a_day=a_day)
    assert list(retention_plan(archive, Settings(), kept - 1).days) == filled[:1]


def test_a_day_of_more_than_a_thousand_recordings_may_be_erased(archive: Archive) -> None:
    filled = fill(archive, 3, a_day=1_200)
    assert retention_plan(archive, Settings(), 1).recordings == 1_200
    assert list(retention_plan(archive, Settings(), 1).days) == filled[:1]


def test_the_nights_that_were_missed_since_the_last_erasure_are_caught_up(archive: Archive) -> None:
    filled = fill(archive, 9, a_day=3)
    with clock_replaced(lambda: datetime.now(UTC) - timedelta(days=3)):
        forget(archive, plan_before(archive, filled[1]), "retention", lambda *_: None)
    plan = retention_plan(archive, Settings(), 4)
    assert list(plan.days) == filled[1:4]
    with pytest.raises(UsageError, match="9 of 24 recordings would be erased by age, but the limit of one run is 8"):
        retention_plan(archive, Settings(retention_limit=8), 4)


def test_an_outage_of_more_than_a_week_reaches_the_limit(archive: Archive) -> None:
    filled = fill(archive, 20)
    with clock_replaced(lambda: datetime.now(UTC) - timedelta(days=10)):
        forget(archive, plan_before(archive, filled[1]), "retention", lambda *_: None)
    with pytest.raises(UsageError, match="10 of 19 recordings would be erased by age, but the limit of one run is 1"):
        retention_plan(archive, Settings(), 8)


def test_several_days_at_once_reach_the_limit_if_none_was_erased_before(archive: Archive) -> None:
    fill(archive, 6, a_day=4)
    with pytest.raises(UsageError, match="8 of 24 recordings would be erased by age, but the limit of one run is 2"):
        retention_plan(archive, Settings(), 3)
