"""UTC days, the partition of all tables."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

ONE_DAY = timedelta(days=1)


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


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
