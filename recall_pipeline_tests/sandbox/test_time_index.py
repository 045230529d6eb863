from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recall_sandbox.behaviour import Closed
from recall_sandbox.time_index import TimeIndex

Row = tuple[str, datetime | None]
START = datetime(2026, 3, 10, tzinfo=UTC)


def at(hours: int) -> datetime:
    return START + timedelta(hours=hours)


def shelf_of(*rows: Row) -> TimeIndex[Row]:
    shelf: TimeIndex[Row] = TimeIndex(lambda row: row[0], lambda row: row[1])
    for row in rows:
        shelf.put(row)
    return shelf


@given(
    hours=st.lists(st.integers(0, 9) | st.none(), max_size=30),
    after=st.integers(0, 9),
    before=st.integers(0, 9),
    closed=st.sampled_from(["left", "right", "both", "neither"]),
)
def test_a_window_holds_the_rows_between_its_ends(
    hours: list[int | None], after: int, before: int, closed: Closed
) -> None:
    rows: list[Row] = [(f"{number:x}", None if hour is None else at(hour)) for number, hour in enumerate(hours)]
    inside = {
        row_id
        for row_id, moment in rows
        if moment is not None
        and (at(after) < moment or (at(after) == moment and closed in ("left", "both")))
        and (moment < at(before) or (moment == at(before) and closed in ("right", "both")))
    }
    window = shelf_of(*rows).window(at(after), at(before), closed)
    assert {row_id for row_id, _ in window} == inside


def test_without_ends_the_rows_without_a_moment_are_there_too() -> None:
    assert len(shelf_of(("a", at(1)), ("b", None)).window(None, None, "left")) == 2
    assert len(shelf_of(("a", at(1)), ("b", None)).window(at(0), None, "left")) == 1


@pytest.mark.parametrize("moment", [at(5), None])
def test_a_row_put_again_moves(moment: datetime | None) -> None:
    shelf = shelf_of(("a", at(1)), ("b", at(2)))
    assert len(shelf.window(at(0), at(3), "left")) == 2
    shelf.put(("a", moment))
    assert [row_id for row_id, _ in shelf.window(at(0), at(3), "left")] == ["b"]
    assert len(shelf) == 2
    assert shelf.get("a") == ("a", moment)
