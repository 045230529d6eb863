"""A day is due while it may still change, and not a day longer."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from recall_pipeline.catalog import CATALOG, CatalogRow
from recall_pipeline.catalog.due_days import days_due
from recall_pipeline.catalog.outcomes import Outcome
from recall_pipeline.days import days_between, end_of, start_of
from recall_pipeline.discovery import RECORDINGS
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive
from recall_pipeline_tests.workspace import an_id

TODAY = date(2026, 3, 10)
YESTERDAY = TODAY - timedelta(days=1)
A_WEEK_AGO = TODAY - timedelta(days=7)
SETTLED = ("ready", "silent", "corrupt", "forgotten")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(storage_url=str(tmp_path / "data"))


def catalog(archive: Archive, day: date, outcomes: Sequence[str] = (), listed_at: datetime | None = None) -> None:
    """Put a day on file; listed when it had just ended, unless stated otherwise."""
    rows = [CatalogRow(recording_id=an_id(outcome), outcome=outcome, created_at=start_of(day)) for outcome in outcomes]
    listed = {"listed_at": (listed_at or end_of(day)).isoformat()}
    RECORDINGS.write(archive, day, [], listed)
    CATALOG.write(archive, day, rows, listed)


@pytest.fixture
def finished(archive: Archive) -> Archive:
    """An archive in which every day so far is finished with."""
    for day in days_between(TODAY - timedelta(days=20), YESTERDAY):
        catalog(archive, day, SETTLED)
    return archive


def test_at_first_the_whole_lookback_is_due(archive: Archive, settings: Settings) -> None:
    assert days_due(archive, settings, TODAY) == list(days_between(A_WEEK_AGO, YESTERDAY))


def test_yesterday_is_due_even_when_all_else_is_finished_with(finished: Archive, settings: Settings) -> None:
    assert days_due(finished, settings, TODAY) == [YESTERDAY]


@pytest.mark.parametrize("outcome", [str(outcome) for outcome in Outcome if outcome not in SETTLED])
def test_a_day_with_a_row_to_look_at_again_is_due(finished: Archive, settings: Settings, outcome: str) -> None:
    day = TODAY - timedelta(days=3)
    catalog(finished, day, ("ready", outcome))
    assert days_due(finished, settings, TODAY) == [day, YESTERDAY]


def test_a_day_without_recordings_is_finished_with(finished: Archive, settings: Settings) -> None:
    catalog(finished, TODAY - timedelta(days=3))
    assert days_due(finished, settings, TODAY) == [YESTERDAY]


def test_a_day_listed_before_it_was_over_is_due(finished: Archive, settings: Settings) -> None:
    day = TODAY - timedelta(days=3)
    catalog(finished, day, ("ready",), listed_at=end_of(day) - timedelta(seconds=1))
    assert days_due(finished, settings, TODAY) == [day, YESTERDAY]


def test_a_day_of_which_nobody_knows_when_it_was_listed_is_due(finished: Archive, settings: Settings) -> None:
    day = TODAY - timedelta(days=3)
    CATALOG.write(finished, day, [])
    assert days_due(finished, settings, TODAY) == [day, YESTERDAY]


def test_a_day_whose_last_sync_was_ended_before_its_catalog_is_due(finished: Archive, settings: Settings) -> None:
    day = TODAY - timedelta(days=3)
    RECORDINGS.write(finished, day, [], {"listed_at": (end_of(day) + timedelta(days=1)).isoformat()})
    assert days_due(finished, settings, TODAY) == [day, YESTERDAY]


def test_what_lies_before_the_lookback_is_left_alone(finished: Archive, settings: Settings) -> None:
    catalog(finished, A_WEEK_AGO - timedelta(days=1), ("download_failed",))
    assert days_due(finished, settings, TODAY) == [YESTERDAY]
    wider = settings.model_copy(update={"lookback_days": 8})
    assert days_due(finished, wider, TODAY) == [A_WEEK_AGO - timedelta(days=1), YESTERDAY]


@pytest.mark.parametrize(("start", "due"), [(YESTERDAY, [YESTERDAY]), (TODAY, [])])
def test_nothing_before_the_first_partition_is_due(
    archive: Archive, settings: Settings, start: date, due: list[date]
) -> None:
    assert days_due(archive, settings.model_copy(update={"start_date": start}), TODAY) == due
