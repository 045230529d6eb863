"""Plan an erasure by age. The plan reads its ids again day by day, so that memory does not grow with the archive."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from recall_pipeline.days import ONE_DAY
from recall_pipeline.erasure.days_of_archive import DayIds, days_to_plan, stream_ids
from recall_pipeline.erasure.kept_ids import IdHashes
from recall_pipeline.erasure.plan import ErasureIds, ErasurePlan
from recall_pipeline.storage import Archive


@dataclass(frozen=True, slots=True)
class AgePlan(ErasurePlan):
    """A plan by age, with what its limit depends on.

    `never_erased`: for each of its days, the recordings that were never erased before. `kept`: the same of the whole
    archive. `last_erased_at`: when the newest finished erasure ended, UTC.
    """

    never_erased: Sequence[int] = ()
    kept: int = 0
    last_erased_at: datetime | None = None


@dataclass(slots=True)
class _AgeCounts:
    """What is counted while the archive is read once."""

    days: list[date] = field(default_factory=list)
    recordings: int = 0
    bots: int = 0
    never_erased: list[int] = field(default_factory=list)
    kept: int = 0
    last_erased_at: datetime | None = None
    faults: dict[date, str] = field(default_factory=dict)

    def add_day(self, ids: DayIds) -> None:
        self.kept += len(ids.never_erased)
        if ids.last_erased_at:
            self.last_erased_at = max(ids.last_erased_at, self.last_erased_at or ids.last_erased_at)

    def add_planned(self, ids: DayIds, planned: ErasureIds) -> None:
        if ids.error:
            self.faults[ids.day] = str(ids.error)
        if planned.recordings or planned.bots:
            self.days.append(ids.day)
            self.recordings += len(planned.recordings)
            self.bots += len(planned.bots)
            self.never_erased.append(len(planned.recordings & ids.never_erased))


@dataclass(frozen=True, slots=True)
class _KeptIds:
    """Ids of the days that are kept. An id that is also in a table of such a day is not erased by age."""

    recordings: IdHashes = field(default_factory=IdHashes)
    bots: IdHashes = field(default_factory=IdHashes)
    needed_bots: IdHashes = field(default_factory=IdHashes)

    def add(self, ids: DayIds) -> None:
        self.recordings.add(ids.recordings)
        self.bots.add(ids.bots)
        self.needed_bots.add(bot for name in ids.never_erased if (bot := ids.recordings[name]))

    def ids_to_erase(self, ids: DayIds, *, bots_may_be_needed: bool) -> ErasureIds:
        """Return the ids of an old day of which data is stored, without bots that a kept recording needs."""
        recordings = ids.recordings.keys() - ids.erased
        bots = ids.bots - ids.erased
        needed = bots if bots_may_be_needed else self.needed_bots.contained_in(bots)
        bots -= self.bots.contained_in(bots) | (needed - ids.returned)
        return ErasureIds(frozenset(recordings - self.recordings.contained_in(recordings)), frozenset(bots))


class _DaysInTurn(Mapping[date, ErasureIds]):
    """The ids of each planned day, read when they are asked for: those of one day are in memory."""

    def __init__(self, days: Sequence[date], read: Callable[[date], ErasureIds]) -> None:
        self._days, self._read = days, read

    def __getitem__(self, day: date) -> ErasureIds:
        if day not in self._days:
            raise KeyError(day)
        return self._read(day)

    def __iter__(self) -> Iterator[date]:
        return iter(self._days)

    def __len__(self) -> int:
        return len(self._days)


def plan_before(archive: Archive, before: date) -> AgePlan:
    """Plan all recordings of the days before `before` of which data is stored, and the bots that have no others.

    Reads every day once. Raises StorageError if the storage does not answer.
    """
    kept, counts, lacking = _KeptIds(), _AgeCounts(), set[date]()
    days = days_to_plan(archive)
    for ids in stream_ids(archive, [day for day in days if day >= before], with_returned=False):
        counts.add_day(ids)
        kept.add(ids)
        lacking |= {ids.day} if ids.lacks_bots else set()
    for ids in _with_next_day(archive, [day for day in days if day < before], lacking):
        counts.add_day(ids)
        counts.add_planned(ids, kept.ids_to_erase(ids, bots_may_be_needed=_is_near(ids.day, lacking)))

    def read(day: date) -> ErasureIds:
        ids = next(stream_ids(archive, [day], with_returned=True))
        if ids.error and ids.error.retry_can_help:
            raise ids.error
        return kept.ids_to_erase(ids, bots_may_be_needed=_is_near(day, lacking))

    return AgePlan(
        _DaysInTurn(counts.days, read),
        counts.recordings,
        counts.bots,
        counts.faults,
        counts.never_erased,
        counts.kept,
        counts.last_erased_at,
    )


def _with_next_day(archive: Archive, days: Sequence[date], lacking: set[date]) -> Iterator[DayIds]:
    """Yield the ids of each day once it is known whether the day after it lacks bots, which is added to `lacking`."""
    last: DayIds | None = None
    for ids in stream_ids(archive, days, with_returned=True):
        lacking |= {ids.day} if ids.lacks_bots else set()
        if last:
            yield last
        last = ids
    if last:
        yield last


def _is_near(day: date, lacking: set[date]) -> bool:
    """Return whether a day near that of a bot may have a recording of it, which no readable table states."""
    return not lacking.isdisjoint({day - ONE_DAY, day, day + ONE_DAY})
