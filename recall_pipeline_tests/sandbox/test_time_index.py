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


def index_of(*rows: Row) -> TimeIndex[Row]:
    index: TimeIndex[Row] = TimeIndex(lambda row: row[0], lambda row: row[1])
    for row in rows:
        index.put(row)
    return index


@given(
    hours=st.lists(st.integers(0, 9) | st.none(), max_size=30),
    after=st.integers(0, 9),
    before=st.integers(0, 9),
    closed=st.sampled_from(["left", "right", "both", "neither"]),
)
def test_a_window_has_the_rows_between_its_bounds(
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
    window = index_of(*rows).window(at(after), at(before), closed)
    assert {row_id for row_id, _ in window} == inside


def test_without_bounds_rows_without_a_moment_are_included() -> None:
    assert len(index_of(("a", at(1)), ("b", None)).window(None, None, "left")) == 2
    assert len(index_of(("a", at(1)), ("b", None)).window(at(0), None, "left")) == 1


@pytest.mark.parametrize("moment", [at(5), None])
def test_a_replaced_row_moves_to_its_new_moment(moment: datetime | None) -> None:
    index = index_of(("a", at(1)), ("b", at(2)))
    assert len(index.window(at(0), at(3), "left")) == 2
    index.put(("a", moment))
    assert [row_id for row_id, _ in index.window(at(0), at(3), "left")] == ["b"]
    assert len(index) == 2
    assert index.get("a") == ("a", moment)
