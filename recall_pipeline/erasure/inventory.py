"""Inventory of the archive: each recording and bot with its day, from all tables."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from recall_pipeline.audit import AUDIT, FORGOTTEN
from recall_pipeline.catalog import CATALOG
from recall_pipeline.discovery import BOTS, RECORDINGS
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.erasure.returned import returned_on
from recall_pipeline.storage import Archive, Table

_DAYS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class RecordingLocation:
    """The day under which a recording is stored, and its bot."""

    day: date
    bot_id: str | None


@dataclass(frozen=True, slots=True)
class Inventory:
    """Recordings and bots by id, including those that are erased and stored again.

    `forgotten` contains the ids whose erasure is finished, `returned` the ids of the audit of which data is stored.
    `last_erased_at`: when the newest finished erasure ended, UTC.
    """

    recordings: Mapping[str, RecordingLocation]
    bots: Mapping[str, date]
    forgotten: frozenset[str]
    returned: frozenset[str] = frozenset()
    last_erased_at: datetime | None = None

    @property
    def erased(self) -> frozenset[str]:
        """The ids of which nothing is left."""
        return self.forgotten - self.returned

    @property
    def kept(self) -> frozenset[str]:
        """The ids of the recordings that were never erased: rows of erased ones stay in the tables."""
        return frozenset(self.recordings.keys() - self.forgotten)

    def recordings_of(self, bot_id: str) -> list[str]:
        """Return the ids of the recordings of a bot."""
        return [recording_id for recording_id, location in self.recordings.items() if location.bot_id == bot_id]


def read_inventory(archive: Archive) -> Inventory:
    """Read the inventory of the whole archive. Raises StorageError if any table is unreadable."""
    recordings: dict[str, RecordingLocation] = {}
    for table in (MIXED_AUDIO, CATALOG, RECORDINGS):  # a later table overrides the bot
        bot_column = ["bot_id"] if "bot_id" in table.columns else []
        for recording_id, day, *bot_id in _inventory_rows(archive, table, "recording_id", "day", *bot_column):
            before = recordings.get(recording_id)
            recordings[recording_id] = RecordingLocation(
                day, next(iter(bot_id), None) or (before.bot_id if before else None)
            )
    bots = dict(_inventory_rows(archive, BOTS, "bot_id", "day"))
    audit = _inventory_rows(archive, AUDIT, "action", "finished_at", "recording_id", "bot_id", "day")
    rows = [row for action, *row in audit if action == FORGOTTEN]
    forgotten = frozenset(recording_id or bot_id for finished_at, recording_id, bot_id, _ in rows if finished_at)
    returned = _returned(archive, sorted({day for *_, day in rows}))
    for _, recording_id, bot_id, day in rows:
        if recording_id in returned:
            recordings.setdefault(recording_id, RecordingLocation(day, bot_id))
        elif bot_id in returned and not recording_id:
            bots.setdefault(bot_id, day)
    last_erased_at = max((finished_at for finished_at, *_ in rows if finished_at), default=None)
    return Inventory(recordings, bots, forgotten, returned, last_erased_at)


def _returned(archive: Archive, days: Sequence[date]) -> frozenset[str]:
    """Return the erased ids of some days of which data is stored. Reads a few days at a time."""
    with ThreadPoolExecutor(_DAYS_AT_ONCE) as threads:
        found = list(threads.map(lambda day: returned_on(archive, day), days))
    return frozenset().union(*(ids.recordings | ids.bots for ids in found))


def _inventory_rows(archive: Archive, table: Table[Any], *names: str) -> list[tuple[Any, ...]]:
    rows = table.read_days(archive, columns=names)
    return list(zip(*(rows.column(name).to_pylist() for name in names), strict=True))
