"""The inventory of one recording gives the plan that the whole one gives, and reads columns, not rows."""

import dataclasses
import random
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from recall_pipeline.catalog import CATALOG, CatalogRow
from recall_pipeline.days import ONE_DAY, start_of
from recall_pipeline.discovery import BOTS, RECORDINGS, BotRow, RecordingRow
from recall_pipeline.erasure import (
    ErasurePlan,
    forget,
    plan_for_request,
    preview,
)
from recall_pipeline.erasure.by_age import plan_before
from recall_pipeline.erasure.plan import plan_for_bot, plan_for_recording
from recall_pipeline.errors import PipelineError, TableUnreadable
from recall_pipeline.progress import no_progress
from recall_pipeline.storage import Archive, Table
from recall_pipeline_tests.erasure.old_days import fill, outcomes, recording_id
from recall_pipeline_tests.erasure.whole_inventory import days_by_age, whole_inventory
from recall_pipeline_tests.storages import FOLDER_AND_BUCKET
from recall_pipeline_tests.workspace import an_id

FIRST = date(2026, 3, 2)


@pytest.fixture
def storage_url(request: pytest.FixtureRequest) -> str:
    """A folder, or what a test asks for."""
    return str(request.getfixturevalue(getattr(request, "param", "folder_url")))


def random_archive(archive: Archive, numbers: random.Random) -> tuple[list[str], list[str]]:
    """Store days with few bots and many recordings, some in one table only; return the ids of both."""
    bots = [an_id(f"bot {number}") for number in range(6)]
    recordings = [an_id(f"recording {number}") for number in range(14)]
    for number in range(4):
        day = FIRST + number * ONE_DAY
        of_day = recordings[number::4]
        of_bot = {name: numbers.choice([*bots, None]) for name in of_day}
        rows = [RecordingRow(name, created_at=start_of(day), bot_id=of_bot[name]) for name in of_day]
        RECORDINGS.write(archive, day, numbers.sample(rows, len(rows) - numbers.randint(0, 1)))
        cataloged = [
            CatalogRow(name, None, bot_id=of_bot[name], outcome="ready", created_at=start_of(day)) for name in of_day
        ]
        CATALOG.write(archive, day, numbers.sample(cataloged, len(cataloged) - numbers.randint(0, 1)))
        BOTS.write(archive, day, [BotRow(bot, is_finished=True, media_expired=False) for bot in bots[number::4]])
    return recordings, bots


def plan_or_error(plan: Callable[..., ErasurePlan], *read_from: object, **request: str) -> ErasurePlan | str:
    try:
        return plan(*read_from, **request)
    except PipelineError as error:
        return str(error)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_read_by_column_gives_the_same_plans_as_all_rows(archive: Archive, seed: int) -> None:
    numbers = random.Random(seed)  # noqa: S311 -- not for secrets
    recordings, bots = random_archive(archive, numbers)
    for name in numbers.sample(recordings, 3):
        forget(archive, plan_for_request(archive, recording_id=name), "before", no_progress)
    if seed % 2:
        CATALOG.write(
            archive,
            FIRST,
            [dataclasses.replace(row, outcome="ready", metadata="{}") for row in CATALOG.read(archive, FIRST) or []],
        )  # returned
    whole = whole_inventory(archive)
    for name in [*recordings, an_id("unknown")]:
        part = plan_or_error(plan_for_request, archive, recording_id=name)
        assert part == plan_or_error(plan_for_recording, whole, name)
    for name in [*bots, an_id("unknown")]:
        part = plan_or_error(plan_for_request, archive, bot_id=name)
        assert part == plan_or_error(plan_for_bot, whole, name)
    for number in range(6):
        before = FIRST + number * ONE_DAY
        plan, expected = plan_before(archive, before), days_by_age(whole, before)
        assert plan.days == expected
        counts = [len(ids.recordings - whole.forgotten) for ids in expected.values()]
        assert (plan.recordings, plan.never_erased) == (sum(len(ids.recordings) for ids in expected.values()), counts)
        assert plan.kept == len(whole.recordings.keys() - whole.forgotten)


@pytest.mark.parametrize("storage_url", FOLDER_AND_BUCKET, indirect=True)
def test_no_row_of_another_day_is_read_for_one_recording(archive: Archive, rows_read: list[date]) -> None:
    days = fill(archive, 5)
    rows_read.clear()
    plan = plan_for_request(archive, recording_id=recording_id(days[2]))
    assert (list(plan.days), plan.recordings, plan.bots) == ([days[2]], 1, 1)
    assert preview(archive, plan).files == 1
    assert rows_read == []
    forget(archive, plan, "request 17", no_progress)
    assert set(rows_read) == {days[2]}


@pytest.fixture
def rows_read(monkeypatch: pytest.MonkeyPatch) -> list[date]:
    """The days of which whole rows were read."""
    days: list[date] = []
    whole = Table.rows_in

    def rows_in(table: Table[Any], archive: Archive, place: date | str, content: Any) -> Any:
        days.append(place if isinstance(place, date) else date.fromisoformat(place.partition("day=")[2][:10]))
        return whole(table, archive, place, content)

    monkeypatch.setattr(Table, "rows_in", rows_in)
    return days


@pytest.mark.parametrize("table", [RECORDINGS, CATALOG, BOTS])
def test_a_recording_of_another_day_is_erased_beside_an_unreadable_table(archive: Archive, table: Table[Any]) -> None:
    days = fill(archive, 3)
    archive.local_path(table.key(days[0])).write_bytes(b"damaged")
    wanted = recording_id(days[2])
    plan = plan_for_request(archive, recording_id=wanted)
    done = forget(archive, plan, "request 17", no_progress)
    assert outcomes(archive, days[1:]) == ["ready", "forgotten"]
    assert set(done.faults) <= {days[0]}


def test_an_id_that_only_an_unreadable_table_may_have_is_not_reported_as_unknown(archive: Archive) -> None:
    days = fill(archive, 2)
    for table in (RECORDINGS, CATALOG):
        archive.local_path(table.key(days[0])).write_bytes(b"damaged")
    archive.local_path(f"mixed_audio/day={days[0]}/mixed_audio.parquet").write_bytes(b"damaged")
    wanted = recording_id(days[0])
    with pytest.raises(TableUnreadable, match=f"is in no table that can be read, and a table of {days[0]} cannot"):
        plan_for_request(archive, recording_id=wanted)


def test_a_bot_is_kept_while_no_table_states_whether_a_day_beside_it_needs_it(archive: Archive) -> None:
    days = fill(archive, 4)
    for table in (RECORDINGS, CATALOG):
        archive.local_path(table.key(days[0])).write_bytes(b"damaged")
    plan = plan_for_request(archive, before=days[3])
    assert {day: bool(ids.bots) for day, ids in plan.days.items()} == {days[0]: False, days[1]: False, days[2]: True}
    assert list(plan.faults) == [days[0]]
