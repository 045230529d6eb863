"""Select the recordings and bots to erase for a request."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from recall_pipeline.days import ONE_DAY, utc_now
from recall_pipeline.erasure.inventory import Inventory
from recall_pipeline.errors import PipelineError, TableUnreadable, UsageError


@dataclass(frozen=True, slots=True)
class ErasureIds:
    """The ids to erase on one day."""

    recordings: frozenset[str] = frozenset()
    bots: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ErasurePlan:
    """The ids to erase by day, oldest first. `faults`: why a table of a day that it concerns cannot be read."""

    days: Mapping[date, ErasureIds]
    faults: Mapping[date, str] = field(default_factory=dict)

    @property
    def recordings(self) -> int:
        """Number of recordings to erase."""
        return sum(len(ids.recordings) for ids in self.days.values())

    @property
    def bots(self) -> int:
        """Number of bots to erase."""
        return sum(len(ids.bots) for ids in self.days.values())


def plan_for_request(
    inventory: Inventory, *, recording_id: str | None = None, bot_id: str | None = None, before: date | None = None
) -> ErasurePlan:
    """Return the plan for a request with exactly one of `recording_id`, `bot_id` and `before`.

    Leaves out ids that are already erased; such a plan may be empty. Raises UsageError for any other number of them,
    for an id that is not in the archive, and for a day in the future; TableUnreadable for an id that no readable table
    has, if a table cannot be read.
    """
    match (recording_id, bot_id, before):
        case (str(), None, None):
            return _without_erased(inventory, plan_for_recording(inventory, recording_id))
        case (None, str(), None):
            return _without_erased(inventory, plan_for_bot(inventory, bot_id))
        case (None, None, date()):
            today = utc_now().date()
            if before > today:
                raise UsageError(f"before {before} is in the future: name a day up to today, {today} UTC")
            return plan_before(inventory, before)
    raise UsageError("name what to forget: one of recording, bot and before")


def plan_for_recording(inventory: Inventory, recording_id: str) -> ErasurePlan:
    """Plan one recording, and its bot if that has no other. Raises UsageError if it is not in the archive."""
    location = inventory.recordings.get(recording_id)
    if location is None and recording_id not in inventory.erased:
        raise _not_found(inventory, f"recording {recording_id}")
    return _plan(inventory, {recording_id}, {location.bot_id}) if location else ErasurePlan({}, inventory.faults)


def plan_for_bot(inventory: Inventory, bot_id: str) -> ErasurePlan:
    """Plan a bot and all its recordings. Raises UsageError if it is not in the archive."""
    recordings = inventory.recordings_of(bot_id)
    if bot_id not in inventory.bots and not recordings and bot_id not in inventory.erased:
        raise _not_found(inventory, f"bot {bot_id}")
    return _plan(inventory, recordings, {bot_id})


def plan_before(inventory: Inventory, day: date) -> ErasurePlan:
    """Plan all recordings of the days before `day` of which data is stored, and the bots that have no others."""
    old = {
        recording_id for recording_id, location in inventory.recordings.items() if location.day < day
    } - inventory.erased
    bots = {bot_id for bot_id, bot_day in inventory.bots.items() if bot_day < day} - inventory.erased
    concerned = {faulty: fault for faulty, fault in inventory.faults.items() if faulty < day}
    return replace(_plan(inventory, old, bots), faults=concerned)


def _not_found(inventory: Inventory, what: str) -> PipelineError:
    if inventory.faults:
        day, fault = next(iter(inventory.faults.items()))
        return TableUnreadable(f"{what} is in no table that can be read, and a table of {day} cannot be read: {fault}")
    return UsageError(f"{what} is not in the archive: check the id, or sync its day first")


def _plan(inventory: Inventory, recordings: Iterable[str], bots: Iterable[str | None]) -> ErasurePlan:
    to_erase = set(recordings)
    erased = to_erase | inventory.forgotten
    needed_bots = {
        location.bot_id for recording_id, location in inventory.recordings.items() if recording_id not in erased
    }
    by_day: dict[date, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for recording_id in to_erase:
        by_day[inventory.recordings[recording_id].day][0].add(recording_id)
    for bot_id in inventory.bots.keys() & set(bots):
        if bot_id in inventory.returned or (bot_id not in needed_bots and not _may_be_needed(inventory, bot_id)):
            by_day[inventory.bots[bot_id]][1].add(bot_id)
    return ErasurePlan(
        {day: ErasureIds(frozenset(by_day[day][0]), frozenset(by_day[day][1])) for day in sorted(by_day)},
        inventory.faults,
    )


def _may_be_needed(inventory: Inventory, bot_id: str) -> bool:
    """Return whether a day near that of the bot may have a recording of it, which no readable table states."""
    return any(abs(day - inventory.bots[bot_id]) <= ONE_DAY for day in inventory.without_bots)


def _without_erased(inventory: Inventory, plan: ErasurePlan) -> ErasurePlan:
    """Return the plan without ids that are erased."""
    erased = inventory.erased
    days = {day: ErasureIds(ids.recordings - erased, ids.bots - erased) for day, ids in plan.days.items()}
    return replace(plan, days={day: ids for day, ids in days.items() if ids.recordings or ids.bots})
