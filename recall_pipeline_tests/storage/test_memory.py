"""What reads all days of an archive has a few days in memory, whatever their number."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from recall_pipeline.catalog import CATALOG, days_due
from recall_pipeline.days import ONE_DAY, utc_now
from recall_pipeline.erasure import by_age, forget, plan_for_request, preview, retention_plan
from recall_pipeline.erasure.plan import ErasureIds
from recall_pipeline.progress import no_progress
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, StoredColumns, Table, open_archive, stream_days, tables
from recall_pipeline.upstream_deletion import days_older_than, estimate_deletion
from recall_pipeline_tests.erasure.old_days import fill, recording_id
from recall_transcripts.due_days import days_to_transcribe

DAYS = 24
FEW = 12  # values of two days, of each of the five tables, and some more
TODAY = utc_now().date()
SETTINGS = Settings(start_date=TODAY - DAYS * ONE_DAY, retention_limit=DAYS)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """An archive of many days, of which the first two are erased."""
    archive = open_archive(Settings(storage_url=str(tmp_path_factory.mktemp("data"))))
    fill(archive, DAYS)
    forget(archive, plan_for_request(archive, before=TODAY - (DAYS - 3) * ONE_DAY), "before", no_progress)
    return archive


class Alive:
    """Counts the objects of a class that exist at the same time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: Any, counted: type[Any]) -> None:
        self.now = self.most = 0
        alive = self

        class Counted(counted):  # type: ignore[misc]
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                alive.now += 1
                alive.most = max(alive.most, alive.now)

            def __del__(self) -> None:
                alive.now -= 1

        monkeypatch.setattr(module, counted.__name__, Counted)


READERS: dict[str, Callable[[Archive], Any]] = {
    "days due": lambda archive: days_due(archive, SETTINGS, utc_now()),
    "daily_transcripts": lambda archive: days_to_transcribe(archive, SETTINGS.start_date, TODAY),
    "forget --recording": lambda archive: plan_for_request(archive, recording_id=recording_id(TODAY)),
    "forget --before": lambda archive: preview(archive, plan_for_request(archive, before=TODAY)),
    "retention": lambda archive: preview(archive, retention_plan(archive, SETTINGS, 5)),
    "release": lambda archive: estimate_deletion(archive, days_older_than(archive, 1, utc_now())),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_of_all_days_has_the_columns_of_a_few_in_memory(
    filled: Archive, reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = Alive(monkeypatch, tables, StoredColumns)
    assert READERS[reader](filled)
    assert 0 < columns.most <= FEW


def test_an_erasure_by_age_has_the_ids_of_one_day_in_memory(filled: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = Alive(monkeypatch, by_age, ErasureIds)
    plan = plan_for_request(filled, before=TODAY)
    assert plan.recordings > DAYS - 4
    for _ in plan.days.items():
        assert ids.now <= 2
    assert preview(filled, plan).files > DAYS - 4
    assert ids.most <= 3


def test_days_are_read_a_few_ahead_of_what_asks_for_them(filled: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[date] = []
    load_rows = Table.load_rows

    def counted(table: Table[Any], archive: Archive, day: date, *names: str, **options: Any) -> Any:
        loaded.append(day)
        return load_rows(table, archive, day, *names, **options)

    monkeypatch.setattr(Table, "load_rows", counted)
    days = filled.days(CATALOG.name)
    for number, (day, _) in enumerate(stream_days(filled, CATALOG, days, "outcome")):
        assert day == days[number]
        assert len(loaded) <= number + 4
    assert sorted(loaded) == days
