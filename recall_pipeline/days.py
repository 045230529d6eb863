"""UTC days: the partition of everything this project keeps."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

ONE_DAY = timedelta(days=1)


def utc_now() -> datetime:
    """Return the present moment, UTC."""
    return datetime.now(UTC)


def day_of(moment: datetime) -> date:
    """Return the UTC day in which an aware `moment` lies."""
    return moment.astimezone(UTC).date()


def start_of(day: date) -> datetime:
    """Return the first moment of `day`, UTC."""
    return datetime.combine(day, time.min, UTC)


def end_of(day: date) -> datetime:
    """Return the first moment after `day`, UTC."""
    return start_of(day + ONE_DAY)


def days_between(first: date, last: date) -> Iterator[date]:
    """Yield every day from `first` to `last`, both included."""
    for offset in range((last - first).days + 1):
        yield first + offset * ONE_DAY
