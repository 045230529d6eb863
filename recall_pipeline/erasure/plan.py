"""Select what to erase with one recording or one bot."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from recall_pipeline.days import ONE_DAY
from recall_pipeline.erasure.inventory import Inventory
from recall_pipeline.errors import PipelineError, TableUnreadable, UsageError


@dataclass(frozen=True, slots=True)
class ErasureIds:
    """The ids to erase on one day."""

    recordings: frozenset[str] = frozenset()
    bots: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ErasurePlan:
    """The ids to erase by day, oldest first, and how many they are.

    `faults`: why a table of a day that it concerns cannot be read.
    """

    days: Mapping[date, ErasureIds]
    recordings: int
    bots: int
    faults: Mapping[date, str] = field(default_factory=dict)

    @classmethod
    def of(cls, days: Mapping[date, ErasureIds], faults: Mapping[date, str]) -> "ErasurePlan":
        """Return the plan of these days, counted."""
        recordings = sum(len(ids.recordings) for ids in days.values())
        return cls(days, recordings, sum(len(ids.bots) for ids in days.values()), faults)


def plan_for_recording(inventory: Inventory, recording_id: str) -> ErasurePlan:
    """Plan one recording, and its bot if that has no other, without what is erased.

    Raises UsageError if it is not in the archive.
    """
    location = inventory.recordings.get(recording_id)
    if location is None and recording_id not in inventory.erased:
        raise _not_found(inventory, f"recording {recording_id}")
    plan = _plan(inventory, {recording_id}, {location.bot_id}) if location else ErasurePlan.of({}, inventory.faults)
    return _without_erased(inventory, plan)


def plan_for_bot(inventory: Inventory, bot_id: str) -> ErasurePlan:
    """Plan a bot and all its recordings, without what is erased. Raises UsageError if it is not in the archive."""
    recordings = inventory.recordings_of(bot_id)
    if bot_id not in inventory.bots and not recordings and bot_id not in inventory.erased:
        raise _not_found(inventory, f"bot {bot_id}")
    return _without_erased(inventory, _plan(inventory, recordings, {bot_id}))


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
    return ErasurePlan.of(
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
    return ErasurePlan.of({day: ids for day, ids in days.items() if ids.recordings or ids.bots}, plan.faults)
