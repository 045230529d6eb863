"""Which recordings and bots a wish concerns."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from recall_pipeline.days import utc_now
from recall_pipeline.erasure.inventory import Inventory
from recall_pipeline.errors import UsageError


@dataclass(frozen=True, slots=True)
class Ids:
    """What is to be forgotten of one day."""

    recordings: frozenset[str] = frozenset()
    bots: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ErasurePlan:
    """What is to be forgotten, by day, the oldest first."""

    days: Mapping[date, Ids]

    @property
    def recordings(self) -> int:
        """How many recordings it concerns."""
        return sum(len(ids.recordings) for ids in self.days.values())

    @property
    def bots(self) -> int:
        """How many bots it concerns."""
        return sum(len(ids.bots) for ids in self.days.values())


def plan_for_request(
    inventory: Inventory, *, recording_id: str | None = None, bot_id: str | None = None, before: date | None = None
) -> ErasurePlan:
    """Plan for what a person named, without what is erased already; such a plan may be empty.

    Raises UsageError if it is not one thing, not on file, or a day to come.
    """
    match (recording_id, bot_id, before):
        case (str(), None, None):
            return _without_erased(inventory, of_recording(inventory, recording_id))
        case (None, str(), None):
            return _without_erased(inventory, of_bot(inventory, bot_id))
        case (None, None, date()):
            today = utc_now().date()
            if before > today:
                raise UsageError(f"before {before} lies in the future: name a day up to today, {today} UTC")
            return all_before(inventory, before)
    raise UsageError("name what to forget: one of recording, bot and before")


def of_recording(inventory: Inventory, recording_id: str) -> ErasurePlan:
    """Plan for one recording, and its bot if that has no other left; raise UsageError if it is not on file."""
    held = inventory.recordings.get(recording_id)
    if held is None and recording_id not in inventory.erased:
        raise UsageError(f"recording {recording_id} is not in the archive: check the id, or sync its day first")
    return _plan(inventory, {recording_id}, {held.bot_id}) if held else ErasurePlan({})


def of_bot(inventory: Inventory, bot_id: str) -> ErasurePlan:
    """Plan for a bot and all its recordings; raise UsageError if it is not on file."""
    recordings = inventory.recordings_of(bot_id)
    if bot_id not in inventory.bots and not recordings and bot_id not in inventory.erased:
        raise UsageError(f"bot {bot_id} is not in the archive: check the id, or sync its day first")
    return _plan(inventory, recordings, {bot_id})


def all_before(inventory: Inventory, day: date) -> ErasurePlan:
    """Plan for every recording of the days before `day` of which anything is left, and the bots that have no other."""
    old = {name for name, held in inventory.recordings.items() if held.day < day} - inventory.erased
    bots = {bot_id for bot_id, filed in inventory.bots.items() if filed < day} - inventory.erased
    return _plan(inventory, old, bots)


def _plan(inventory: Inventory, recordings: Iterable[str], bots: Iterable[str | None]) -> ErasurePlan:
    let_go = set(recordings)
    gone = let_go | inventory.forgotten
    still_of_use = {held.bot_id for name, held in inventory.recordings.items() if name not in gone}
    by_day: dict[date, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for name in let_go:
        by_day[inventory.recordings[name].day][0].add(name)
    for bot_id in bots:
        if bot_id and bot_id in inventory.bots and (bot_id not in still_of_use or bot_id in inventory.returned):
            by_day[inventory.bots[bot_id]][1].add(bot_id)
    return ErasurePlan({day: Ids(frozenset(by_day[day][0]), frozenset(by_day[day][1])) for day in sorted(by_day)})


def _without_erased(inventory: Inventory, plan: ErasurePlan) -> ErasurePlan:
    """Return the plan without ids of which nothing is left."""
    erased = inventory.erased
    days = {day: Ids(ids.recordings - erased, ids.bots - erased) for day, ids in plan.days.items()}
    return ErasurePlan({day: ids for day, ids in days.items() if ids.recordings or ids.bots})
