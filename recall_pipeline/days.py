"""UTC days, the partition of all tables, and the clock that every part of the pipeline reads."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta

ONE_DAY = timedelta(days=1)

_clocks: list[Callable[[], datetime]] = [lambda: datetime.now(UTC)]
"""The system's clock, and above it what `clock_replaced` puts there."""


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return _clocks[-1]()


@contextlib.contextmanager
def clock_replaced(clock: Callable[[], datetime]) -> Iterator[None]:
    """Let `utc_now` read `clock`, in UTC, in this process until the block ends; for tests."""
    _clocks.append(clock)
    try:
        yield
    finally:
        _clocks.pop()


def day_of(moment: datetime) -> date:
    """Return the UTC day of a timezone-aware `moment`."""
    return moment.astimezone(UTC).date()


def start_of(day: date) -> datetime:
    """Return midnight UTC at the start of `day`."""
    return datetime.combine(day, time.min, UTC)


def end_of(day: date) -> datetime:
    """Return midnight UTC at the end of `day`."""
    return start_of(day + ONE_DAY)


def days_between(first: date, last: date) -> Iterator[date]:
    """Yield every day from `first` to `last`, both inclusive."""
    for offset in range((last - first).days + 1):
        yield first + offset * ONE_DAY
