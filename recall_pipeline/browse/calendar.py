"""The calendar of the overview: twelve months of days, each with what is missing as a colour, a sign and words."""

import calendar
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from recall_pipeline.browse.day_summary import DaySummary

MONTHS_SHOWN = 12
SIGNS = {
    "complete": ("✓", "audio of every recording"),
    "missing": ("▲", "audio is missing"),
    "pending": ("◔", "not finished: every sync tries it again"),
    "empty": ("·", "no recording"),
    "hole": ("?", "no catalog: not synced"),
    "unreadable": ("✗", "the catalog cannot be read"),
    "unread": ("…", "being read now"),
}
"""The sign and the meaning of each state of a day."""


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day of the calendar. `summary` is None for a day without a catalog, and for one that is being read."""

    day: date
    state: str
    summary: DaySummary | None = None

    @property
    def sign(self) -> str:
        """The sign of the state; with the number of rows without audio."""
        count = self.summary.missing if self.summary and self.state in ("missing", "pending") else 0
        return SIGNS[self.state][0] + (str(count) if count else "")

    @property
    def words(self) -> str:
        """The day and its counts in words."""
        name = f"{self.day:%A} {self.day.day} {self.day:%B %Y}"
        if self.summary is None or self.summary.fault:
            return f"{name}: {SIGNS[self.state][1]}"
        if not self.summary.rows:
            return f"{name}: {SIGNS['empty'][1]}"
        counts = [f"{self.summary.recordings} recordings"]
        counts += [f"{self.summary.missing} without audio"] if self.summary.missing else ["all with audio"]
        counts += [f"{self.summary.pending} tried again at every sync"] if self.summary.pending else []
        return f"{name}: {', '.join(counts)}"


@dataclass(frozen=True, slots=True)
class CalendarMonth:
    """A month as weeks from Monday to Sunday; None where a day is not of the month, or not of the archive."""

    first: date
    weeks: Sequence[Sequence[CalendarDay | None]]


def state_of(summary: DaySummary | None, *, is_cataloged: bool) -> str:
    """Return the state of a day."""
    if not is_cataloged:
        return "hole"
    if summary is None:
        return "unread"
    if summary.fault:
        return "unreadable"
    if not summary.rows:
        return "empty"
    if summary.missing > summary.pending:
        return "missing"
    return "pending" if summary.missing else "complete"


def months_until(last: date) -> list[date]:
    """Return the first days of the twelve months that end with that of `last`."""
    number = last.year * 12 + last.month - 1
    numbers = range(max(12, number - MONTHS_SHOWN + 1), number + 1)
    return [date(each // 12, each % 12 + 1, 1) for each in numbers]


def last_of_month(first: date) -> date:
    """Return the last day of a month."""
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def calendar_months(
    months: Sequence[date],
    held: tuple[date, date],
    cataloged: Mapping[date, object],
    summaries: Mapping[date, DaySummary],
) -> Iterator[CalendarMonth]:
    """Yield the months that have a day of the archive; `held` are its first and its last day."""
    first_held, last_held = held
    for first in months:
        if last_of_month(first) < first_held or first > last_held:
            continue
        weeks = calendar.Calendar().monthdatescalendar(first.year, first.month)

        def cell(day: date, first: date = first) -> CalendarDay | None:
            if day.month != first.month or not first_held <= day <= last_held:
                return None
            summary = summaries.get(day)
            return CalendarDay(day, state_of(summary, is_cataloged=day in cataloged), summary)

        yield CalendarMonth(first, [[cell(day) for day in week] for week in weeks])
