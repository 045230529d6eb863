"""A sync downloads nothing that retention would erase again."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from recall_pipeline.catalog import CATALOG, Outcome
from recall_pipeline.days import clock_replaced, start_of
from recall_pipeline_tests.workspace import DAY, Workspace, an_id
from recall_sandbox.speech import Speech

TALK = Speech(2)


@pytest.fixture(autouse=True)
def ten_days_later() -> Iterator[None]:
    """Let ten days pass after the day."""
    with clock_replaced(lambda: start_of(DAY) + timedelta(days=10, hours=5)):
        yield


@pytest.fixture
def work(workspace: Workspace) -> Workspace:
    workspace.meet("one", TALK)
    workspace.meet("two", TALK)
    return workspace


@pytest.mark.parametrize("retention_days", [1, 9])
def test_a_day_that_is_older_is_not_downloaded(work: Workspace, retention_days: int) -> None:
    report = work.capture(retention_days=retention_days)
    assert (report.downloaded, report.bytes_downloaded, work.media_requests()) == (0, 0, [])
    rows = work.catalog(retention_days=retention_days).rows
    assert [(row.outcome, row.bot_name) for row in rows] == [(Outcome.FORGOTTEN, None)] * 2
    assert work.keys("mixed_audio") == [f"mixed_audio/day={DAY}/mixed_audio.parquet"]


@pytest.mark.parametrize("retention_days", [10, 365, None])
def test_a_day_that_is_kept_is_downloaded(work: Workspace, retention_days: int | None) -> None:
    assert work.capture(retention_days=retention_days).downloaded == 2
    assert {row.outcome for row in work.catalog(retention_days=retention_days).rows} == {Outcome.READY}


def test_a_recording_named_by_its_id_is_not_downloaded_either(work: Workspace) -> None:
    assert work.capture(again=frozenset({an_id("one")}), retention_days=3).downloaded == 0


def test_what_is_archived_stays_until_retention_erases_it(work: Workspace) -> None:
    work.capture()
    work.catalog()
    before = [row.outcome for row in CATALOG.read(work.archive, DAY) or []]
    work.capture(retention_days=3)
    assert [row.outcome for row in work.catalog(retention_days=3).rows] == before == [Outcome.READY] * 2
    assert len(work.media_requests()) == 2


def test_a_longer_retention_downloads_what_was_left(work: Workspace) -> None:
    work.capture(retention_days=3)
    work.catalog(retention_days=3)
    work.capture(retention_days=30)
    assert {row.outcome for row in work.catalog(retention_days=30).rows} == {Outcome.READY}
