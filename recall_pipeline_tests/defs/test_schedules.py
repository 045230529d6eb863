"""Once a day, `daily_sync` requests a run for each day that is due."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from recall_pipeline.defs import build_definitions
from recall_pipeline.settings import Settings

TICK = datetime(2026, 3, 10, 2, 23, tzinfo=UTC)


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_API_KEY", "key-of-nobody")
    monkeypatch.setenv("RECALL_STORAGE_URL", str(tmp_path / "data"))
    monkeypatch.setenv("RECALL_LOOKBACK_DAYS", "3")


def tick(at: datetime = TICK) -> Any:
    """Evaluate the schedule of the archive that the environment names."""
    repository = build_definitions(Settings.from_environment()).get_repository_def()
    context = dg.build_schedule_context(scheduled_execution_time=at, repository_def=repository)
    return repository.get_schedule_def("daily_sync").evaluate_tick(context)


def requests(at: datetime = TICK) -> dict[str | None, str | None]:
    """Run keys by the partition requested."""
    return {run.partition_key: run.run_key for run in tick(at).run_requests or []}


def skip_reason() -> str:
    message = tick().skip_message
    assert message
    return str(message)


def test_each_day_that_is_due_gets_a_run() -> None:
    assert sorted(map(str, requests())) == ["2026-03-07", "2026-03-08", "2026-03-09"]


def test_the_next_tick_requests_a_day_again() -> None:
    assert set(requests().values()).isdisjoint(requests(TICK.replace(day=11)).values())
    assert requests() == requests()  # the same tick, evaluated twice, is one


def test_the_scheduled_time_of_the_tick_defines_the_day_instead_of_the_clock() -> None:
    assert date.fromisoformat(max(map(str, requests(TICK.replace(year=2025, month=7))))) == date(2025, 7, 9)


def test_an_unreadable_table_of_one_day_leaves_the_others_requested(tmp_path: Path) -> None:
    for day in ("2026-02-20", "2026-03-08"):
        file = tmp_path / "data" / "audio_catalog" / f"day={day}" / "audio_catalog.parquet"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"garbage")
    days = sorted(map(str, requests()))
    assert days == [*(f"2026-02-{day}" for day in range(20, 28)), "2026-03-07", "2026-03-08", "2026-03-09"]


def test_a_missing_key_is_reported_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECALL_API_KEY")
    assert skip_reason().startswith("RECALL_API_KEY is not set: ")
    assert "\n" not in skip_reason()


def test_an_unreadable_archive_is_reported_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RECALL_STORAGE_URL", str(tmp_path / "file" / "below"))
    assert "cannot list" in skip_reason()
    assert "\n" not in skip_reason()


def test_it_runs_by_default_every_night_and_not_on_the_hour() -> None:
    daily_sync = build_definitions(Settings()).get_repository_def().get_schedule_def("daily_sync")
    assert daily_sync.default_status == dg.DefaultScheduleStatus.RUNNING
    assert (daily_sync.cron_schedule, daily_sync.execution_timezone) == ("23 2 * * *", "UTC")
    assert daily_sync.job_name == "sync_day"
