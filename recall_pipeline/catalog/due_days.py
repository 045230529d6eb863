"""Due days: the one rule that the schedule, a bare `sync`, the alerts, `doctor` and `verify` share.

Everything is decided by the tables and the clock: docs/design/interface.md, section 4.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from recall_pipeline.catalog.day_states import DayState, days_of_tables, first_day_of, read_day_states
from recall_pipeline.days import ONE_DAY, day_of, days_between, end_of
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive

NIGHTLY_DAYS, WEEK = 30, timedelta(days=7)
INCOMPLETE_A_NIGHT = 7
_LAST_NIGHTS = timedelta(days=3)
_OUTAGE_AFTER = timedelta(days=2)  # without a sync: two nightly ticks, of which one may fail
_LATE_AFTER = timedelta(hours=12)  # the nightly tick is long past
_YOUNG = timedelta(hours=36)  # of an archive: the first nightly tick may not have been yet


class DueReason(StrEnum):
    """Why a day is due."""

    YESTERDAY = "it is yesterday"
    LOOKBACK = "it is in the lookback and not settled"
    PENDING = "it has unfinished recordings"
    INCOMPLETE = "it was not cataloged completely since its end"
    OUTAGE = "no sync ran in the two days before it left the lookback"
    UNREADABLE = "one of its tables cannot be read"


_MAY_WAIT = (DueReason.INCOMPLETE, DueReason.OUTAGE)


@dataclass(frozen=True, slots=True)
class DueDay:
    """A day that is due, the reason, and since when; `waits`: a later night requests it."""

    day: date
    reason: DueReason
    since: datetime
    waits: bool = False


@dataclass(frozen=True, slots=True)
class DueDays:
    """All days that are due at a moment, the oldest first, and the state of every day that was judged.

    `first_day` is the first day of the archive, None for an empty one. `never_requested` are the first and the last
    day before it and the lookback that the settings include; None if there is no such day.
    """

    now: datetime
    days: tuple[DueDay, ...]
    states: Mapping[date, DayState]
    first_day: date | None
    never_requested: tuple[date, date] | None

    @property
    def requested(self) -> list[date]:
        """The days to sync now, the oldest first."""
        return [due.day for due in self.days if not due.waits]

    @property
    def waiting(self) -> list[date]:
        """The days that later nights request, the oldest first."""
        return [due.day for due in self.days if due.waits]

    @property
    def faults(self) -> dict[date, str]:
        """Why a table of a day cannot be read, by day."""
        return {day: state.fault for day, state in self.states.items() if state.fault}

    @property
    def late(self) -> list[date]:
        """The archive's days that were due more than 12 hours ago and were not synced; none of a young archive."""
        listed = [state.listed_at for state in self.states.values() if state.listed_at]
        if self.first_day is None or not listed or self.now - min(listed) < _YOUNG:
            return []
        overdue = [due for due in self.days if self.now - due.since > _LATE_AFTER]
        return [due.day for due in overdue if due.day >= self.first_day and due.reason is not DueReason.UNREADABLE]


def days_due(archive: Archive, settings: Settings, now: datetime) -> DueDays:
    """Return the days that are due at `now`. Raises StorageError if the archive does not answer.

    No day before RECALL_START_DATE or older than RECALL_RETENTION_DAYS is due. Of the days before the lookback that
    are only incomplete, or left it in an outage, seven are requested at once, those first whose media expire first.
    """
    today, stored = day_of(now), days_of_tables(archive)
    earliest, first_day = first_day_kept(settings, today), first_day_of(stored)
    lookback = today - settings.lookback
    start = max(earliest, min(first_day or lookback, lookback))
    states = read_day_states(archive, stored, list(days_between(start, today - ONE_DAY)), now)
    after_outage = _left_in_outage(states.values(), settings.lookback, now)
    due = [found for day, state in states.items() if (found := _due(state, lookback, now) or after_outage.get(day))]
    waiting = set(_backlog(due, states, lookback, now)[INCOMPLETE_A_NIGHT:])
    unasked_until = min(first_day or earliest, lookback)
    return DueDays(
        now,
        tuple(DueDay(found.day, found.reason, found.since, found.day in waiting) for found in due),
        states,
        first_day,
        (earliest, unasked_until - ONE_DAY) if earliest < unasked_until else None,
    )


def first_day_kept(settings: Settings, today: date) -> date:
    """Return the first day that a sync is meant for: a partition, and not so old that retention erases it."""
    if settings.retention_days is None:
        return settings.start_date
    return max(settings.start_date, today - timedelta(days=settings.retention_days))


def _due(state: DayState, lookback: date, now: datetime) -> DueDay | None:
    """Return why a day is due at `now`; None if it is not."""
    if state.fault:
        return DueDay(state.day, DueReason.UNREADABLE, end_of(state.day))
    if state.day == day_of(now) - ONE_DAY:
        # It stays due until midnight, but is not late once it was synced.
        return DueDay(state.day, DueReason.YESTERDAY, now if state.is_whole else end_of(state.day))
    if not state.is_whole:
        reason = DueReason.LOOKBACK if state.day >= lookback else DueReason.INCOMPLETE
        return DueDay(state.day, reason, end_of(state.day))
    since = _next_look(state, lookback, now)
    if since is None or day_of(since) > day_of(now):
        return None
    return DueDay(state.day, DueReason.LOOKBACK if state.day >= lookback else DueReason.PENDING, since)


def _left_in_outage(states: Collection[DayState], lookback: timedelta, now: datetime) -> dict[date, DueDay]:
    """Return the days that left the lookback when no sync ran, or after a restored backup, until they are listed again.

    No day was listed for the first time in the two days before. A version that Recall published in such a time is in
    no table, and the sensor does not compare the day any more.
    """
    first_listings = sorted(state.first_listed_at for state in states if state.first_listed_at)
    found = {}
    for state in states:
        left_at = end_of(state.day + lookback)
        had_syncs = bisect_right(first_listings, left_at) > bisect_right(first_listings, left_at - _OUTAGE_AFTER)
        if state.first_listed_at and state.listed_at and state.listed_at < left_at <= now and not had_syncs:
            found[state.day] = DueDay(state.day, DueReason.OUTAGE, now)
    return found


def _next_look(state: DayState, lookback: date, now: datetime) -> datetime | None:
    """Return when the rows of a whole day are due next, None if they are settled; whole nights, not hours, count."""
    is_nightly = day_of(now) - state.day <= timedelta(days=NIGHTLY_DAYS) or state.is_expiring(now, _LAST_NIGHTS)
    if state.listed_at is None or not (state.pending or (state.is_open and state.day >= lookback)):
        return None
    if is_nightly or state.day >= lookback:
        return min(state.listed_at + ONE_DAY, now)  # also a second time in one night, if requested
    return state.listed_at + WEEK


def _backlog(due: Iterable[DueDay], states: Mapping[date, DayState], lookback: date, now: datetime) -> list[date]:
    """Return the days that may wait, incomplete ones first, and of these first those whose media expire first.

    Days with pending rows or with media that expire within three days do not wait. Where the tables state no expiry,
    the media of the older day expire first.
    """

    def place(due: DueDay) -> tuple[bool, datetime, date]:
        expiries = (moment for moment in states[due.day].expiries if moment >= now)
        return due.reason is DueReason.OUTAGE, min(expiries, default=end_of(due.day)), due.day

    may_wait = (found for found in due if found.reason in _MAY_WAIT and found.day < lookback)
    return [found.day for found in sorted(may_wait, key=place) if not _is_urgent(states[found.day], now)]


def _is_urgent(state: DayState, now: datetime) -> bool:
    is_recent = day_of(now) - state.day <= timedelta(days=NIGHTLY_DAYS)
    return state.is_expiring(now, _LAST_NIGHTS) or (state.pending > 0 and is_recent)
