"""The inventory of a whole archive from all rows at once: readers by column must give the same plans."""

from datetime import date
from typing import Any

from recall_pipeline.audit import AUDIT, FORGOTTEN
from recall_pipeline.catalog import CATALOG
from recall_pipeline.discovery import BOTS, RECORDINGS
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.erasure.inventory import Inventory, RecordingLocation
from recall_pipeline.erasure.plan import ErasureIds
from recall_pipeline.erasure.returned import returned_on
from recall_pipeline.storage import Archive


def whole_inventory(archive: Archive) -> Inventory:
    """Every recording and bot of an archive that can be read, with what its audit states."""
    tables: tuple[Any, ...] = (MIXED_AUDIO, CATALOG, RECORDINGS)
    found: dict[str, RecordingLocation] = {}
    for table in tables:
        for day in archive.days(table.name):
            for row in table.read(archive, day):
                before = found.get(row.recording_id)
                bot_id = getattr(row, "bot_id", None) or (before.bot_id if before else None)
                found[row.recording_id] = RecordingLocation(day, bot_id)
    bots = {row.bot_id: day for day in archive.days(BOTS.name) for row in BOTS.read(archive, day) or []}
    audit = [(day, row) for day in archive.days(AUDIT.name) for row in AUDIT.read(archive, day) or []]
    erased = [(day, row) for day, row in audit if row.action == FORGOTTEN]
    forgotten = frozenset(str(row.recording_id or row.bot_id) for _, row in erased if row.finished_at)
    stored = [returned_on(archive, day) for day in archive.days(AUDIT.name)]
    returned = frozenset().union(*(ids.recordings | ids.bots for ids in stored))
    for day, row in erased:
        if row.recording_id in returned:
            found.setdefault(row.recording_id or "", RecordingLocation(day, row.bot_id))
        elif row.bot_id in returned and not row.recording_id:
            bots.setdefault(row.bot_id or "", day)
    return Inventory(found, bots, forgotten, returned)


def days_by_age(inventory: Inventory, before: date) -> dict[date, ErasureIds]:
    """The ids to erase of the days before `before`, without bots that a kept recording needs."""
    old = {name for name, at in inventory.recordings.items() if at.day < before} - inventory.erased
    kept = inventory.recordings.keys() - old - inventory.forgotten
    needed = {inventory.recordings[name].bot_id for name in kept}
    bots = {name for name, day in inventory.bots.items() if day < before} - inventory.erased
    bots = {name for name in bots if name in inventory.returned or name not in needed}
    of_day = {
        day: ErasureIds(
            frozenset(name for name in old if inventory.recordings[name].day == day),
            frozenset(name for name in bots if inventory.bots[name] == day),
        )
        for day in {at.day for at in inventory.recordings.values()} | set(inventory.bots.values())
    }
    return {day: ids for day, ids in sorted(of_day.items()) if ids.recordings or ids.bots}
