"""An index of rows by id and by time: a query costs as much as its result, not as all rows."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Generic, TypeVar

Row = TypeVar("Row")
_FIRST_ID, _LAST_ID = "", "g"  # around every hexadecimal id


class TimeIndex(Generic[Row]):
    """Rows by id, and sorted by `moment`; rows with the moment None are in no window."""

    def __init__(self, row_id: Callable[[Row], str], moment: Callable[[Row], datetime | None]) -> None:
        self._row_id = row_id
        self._moment = moment
        self._rows: dict[str, Row] = {}
        self._by_moment: list[tuple[datetime, str]] | None = None

    def __iter__(self) -> Iterator[Row]:
        return iter(list(self._rows.values()))

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, row_id: str) -> Row | None:
        """The row of that id, or None."""
        return self._rows.get(row_id)

    def put(self, row: Row) -> None:
        """Add a row, or replace the one with its id."""
        before = self._rows.get(self._row_id(row))
        self._rows[self._row_id(row)] = row
        if before is None or self._moment(before) != self._moment(row):
            self._by_moment = None

    def window(self, after: datetime | None, before: datetime | None, closed: str) -> list[Row]:
        """Rows between two moments; `closed` names the included bounds: left, right, both or neither."""
        if after is None and before is None:
            return list(self._rows.values())
        index = self._index()
        first = _edge(index, after, include_equal=closed in ("left", "both")) if after else 0
        last = len(index)
        if before:
            last = _edge(index, before, include_equal=closed in ("left", "neither"))
        return [self._rows[row_id] for _, row_id in index[first:last]]

    def _index(self) -> list[tuple[datetime, str]]:
        if self._by_moment is None:
            timed = ((self._moment(row), row_id) for row_id, row in self._rows.items())
            self._by_moment = sorted((at, row_id) for at, row_id in timed if at is not None)
        return self._by_moment


def _edge(index: list[tuple[datetime, str]], at: datetime, *, include_equal: bool) -> int:
    """The index of the first row from `at` on, with or without the rows at exactly `at`."""
    if include_equal:
        return bisect_left(index, (at, _FIRST_ID))
    return bisect_right(index, (at, _LAST_ID))
