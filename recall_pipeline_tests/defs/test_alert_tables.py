"""Alerts follow the tables: also of days that no run looks at, and of days that were not synced at all."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from recall_pipeline.catalog import CATALOG, CatalogRow
from recall_pipeline.days import days_between, end_of, start_of
from recall_pipeline.defs.alert_state import AlertState
from recall_pipeline.defs.alert_tables import record_tables
from recall_pipeline.discovery import BOTS, RECORDINGS, RecordingRow, Unknowns
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, accept_api

NOW = datetime(2026, 3, 10, 6, 0, tzinfo=UTC)
OLD = date(2026, 2, 1)
HOUR = timedelta(hours=1)


@pytest.fixture
def settings(archive: Archive) -> Settings:
    """Settings of an archive in which every day since OLD is settled."""
    for day in days_between(OLD, NOW.date() - timedelta(days=1)):
        store(archive, day)
    return Settings(storage_url=archive.location.root, start_date=OLD)


def store(archive: Archive, day: date, rows: Sequence[CatalogRow] = (), listed_at: datetime | None = None) -> None:
    facts = {"listed_at": (listed_at or end_of(day)).isoformat()}
    BOTS.write(archive, day, [])
    MIXED_AUDIO.write(archive, day, [])
    RECORDINGS.write(archive, day, [], facts)
    CATALOG.write(archive, day, rows, facts)


def row(outcome: str, **columns: Any) -> CatalogRow:
    return CatalogRow(recording_id=outcome, outcome=outcome, created_at=start_of(OLD), **columns)


def failing(settings: Settings, state: AlertState | None = None, now: datetime = NOW) -> dict[str, str]:
    state = state or AlertState()
    record_tables(settings, state, now)
    return {thing: each.cause for thing, each in state.failing.items()}


def test_nothing_fails_in_a_settled_archive(settings: Settings) -> None:
    assert failing(settings) == {}


def test_an_old_day_that_no_run_looks_at_is_judged(settings: Settings, archive: Archive) -> None:
    soon = {"expires_at": NOW + 47 * HOUR}
    store(archive, OLD, [row("download_failed"), row("processing", **soon), row("ready", **soon)], NOW - 3 * HOUR)
    causes = failing(settings)
    assert set(causes) == {f"none_left_failed of {OLD}", f"none_about_to_expire of {OLD}"}
    assert causes[f"none_left_failed of {OLD}"].startswith("check none_left_failed: fix what the reasons name")


def test_recordings_that_are_not_cataloged_are_about_to_expire_too(settings: Settings, archive: Archive) -> None:
    listed = [RecordingRow(recording_id="new", created_at=start_of(OLD), expires_at=NOW + HOUR)]
    RECORDINGS.write(archive, OLD, listed, {"listed_at": NOW.isoformat()})
    assert f"none_about_to_expire of {OLD}" in failing(settings)


def test_an_archive_of_another_api_fails_until_it_is_accepted(settings: Settings, archive: Archive) -> None:
    accept_api(archive, "eu-central-1.recall.ai")
    state = AlertState()
    causes = failing(settings, state)
    assert list(causes) == ["the archive"]
    assert "has recordings of eu-central-1.recall.ai" in causes["the archive"]
    accept_api(archive, "us-east-1.recall.ai")
    assert failing(settings, state) == {}


@pytest.mark.parametrize("day", [OLD, NOW.date()], ids=["an old day", "today"])
@pytest.mark.parametrize(("age", "names"), [(HOUR, ["field bot.mood"]), (8 * 24 * HOUR, [])], ids=["new", "known"])
def test_what_recall_sent_for_the_first_time_is_a_notice_for_a_week(
    day: date, age: timedelta, names: list[str], settings: Settings, archive: Archive
) -> None:
    facts = Unknowns({"field bot.mood": 3, "field bot.taste": 1}, {"field bot.mood": NOW - age}).facts()
    RECORDINGS.write(archive, day, [], {"listed_at": end_of(day).isoformat(), **facts})
    state = AlertState()
    assert failing(settings, state) == {}
    assert list(state.notices) == names


def test_what_has_expired_is_not_about_to(settings: Settings, archive: Archive) -> None:
    store(archive, OLD, [row("processing", expires_at=NOW - HOUR)], NOW - 3 * HOUR)
    assert failing(settings) == {}


def test_a_check_that_the_tables_answer_is_over_without_a_run(settings: Settings) -> None:
    state = AlertState()
    for check in ("none_left_failed", "none_about_to_expire", "nothing_missing", "bytes_proven"):
        state.failed(f"{check} of {OLD}", f"check {check}: look", NOW)
    assert failing(settings, state) == {}


def test_a_check_that_still_fails_in_the_tables_stays(settings: Settings, archive: Archive) -> None:
    RECORDINGS.write(archive, OLD, [RecordingRow(recording_id="new", created_at=start_of(OLD))])
    state = AlertState()
    state.failed(f"nothing_missing of {OLD}", "check nothing_missing: materialize the day again", NOW - 99 * HOUR)
    assert f"nothing_missing of {OLD}" in failing(settings, state)
    assert state.failing[f"nothing_missing of {OLD}"].at == NOW.isoformat()


def test_a_step_of_a_day_that_is_not_due_any_more_lapses_after_two_nights(settings: Settings) -> None:
    state = AlertState()
    state.failed(f"bots of {OLD}", "HTTP 401", NOW)
    assert f"bots of {OLD}" in failing(settings, state, NOW + 47 * HOUR)
    assert f"bots of {OLD}" not in failing(settings, state, NOW + 49 * HOUR)


def test_a_step_of_a_day_that_is_due_does_not_lapse(settings: Settings, archive: Archive) -> None:
    state = AlertState()
    archive.remove(CATALOG.key(OLD))
    state.failed(f"audio_catalog of {OLD}", "no space", NOW)
    assert f"audio_catalog of {OLD}" in failing(settings, state, NOW + 99 * HOUR)


def test_days_before_a_moved_start_date_lapse(settings: Settings) -> None:
    state = AlertState()
    for what in ("none_left_failed", "mixed_audio_schema", "bots", "the sync"):
        state.failed(f"{what} of {OLD}", "anything", NOW)
    state.failed("forget_expired of retention", "cannot delete", NOW)
    later = settings.model_copy(update={"start_date": OLD + timedelta(days=5)})
    assert set(failing(later, state)) == {"forget_expired of retention"}


def test_the_present_day_is_left_to_its_runs(settings: Settings) -> None:
    state = AlertState()
    state.failed(f"none_left_failed of {NOW.date()}", "anything", NOW)
    assert set(failing(settings, state)) == {f"none_left_failed of {NOW.date()}"}


def test_an_unreadable_table_is_reported_with_what_to_do_and_stops_no_other_day(
    settings: Settings, archive: Archive
) -> None:
    archive.local_path(CATALOG.key(OLD)).write_bytes(b"garbage")
    store(archive, OLD + timedelta(days=1), [row("download_failed")], NOW - 3 * HOUR)
    causes = failing(settings)
    assert set(causes) == {f"the tables of {OLD}", f"none_left_failed of {OLD + timedelta(days=1)}"}
    assert "restore it from a backup" in causes[f"the tables of {OLD}"]
    store(archive, OLD)
    state = AlertState()
    state.failed(f"the tables of {OLD}", "garbage", NOW)
    assert f"the tables of {OLD}" not in failing(settings, state)


def test_days_that_are_due_and_were_not_synced_are_reported_once_and_a_backfill_does_not_end_it(
    settings: Settings, archive: Archive
) -> None:
    later = NOW + timedelta(days=12)
    state = AlertState()
    causes = failing(settings, state, later)
    assert set(causes) == {f"the sync of {day}" for day in days_between(NOW.date(), date(2026, 3, 20))}
    (cause,) = set(causes.values())
    assert cause.startswith("days that are due were not synced: ")
    store(archive, date(2026, 3, 20), listed_at=later)
    store(archive, OLD, listed_at=later)
    assert f"the sync of {date(2026, 3, 20)}" not in failing(settings, state, later)
    assert f"the sync of {date(2026, 3, 19)}" in failing(settings, state, later)


def test_an_archive_that_cannot_be_read_is_one_alert(tmp_path: Any) -> None:
    (tmp_path / "file").touch()
    broken = Settings(storage_url=str(tmp_path / "file" / "below"))
    state = AlertState()
    assert set(failing(broken, state)) == {"the archive"}
    assert set(failing(Settings(storage_url=str(tmp_path / "empty")), state)) == set()
