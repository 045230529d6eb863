"""What the archive holds of everybody: each recording and bot with its day, from every table that names it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from recall_pipeline.audit import AUDIT, FORGOTTEN
from recall_pipeline.catalog import CATALOG
from recall_pipeline.discovery import BOTS, RECORDINGS
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.storage import Archive, Table


@dataclass(frozen=True, slots=True)
class RecordingLocation:
    """Where a recording lies, and whose it is."""

    day: date
    bot_id: str | None


@dataclass(frozen=True, slots=True)
class Inventory:
    """Recordings and bots by id; `forgotten` holds the ids of those of which nothing is left."""

    recordings: Mapping[str, RecordingLocation]
    bots: Mapping[str, date]
    forgotten: frozenset[str]

    def recordings_of(self, bot_id: str) -> list[str]:
        """Return the recordings of a bot."""
        return [recording_id for recording_id, held in self.recordings.items() if held.bot_id == bot_id]


def read_inventory(archive: Archive) -> Inventory:
    """Read it whole, or raise StorageError: what cannot be read is not taken for nothing."""
    recordings: dict[str, RecordingLocation] = {}
    for table in (MIXED_AUDIO, CATALOG, RECORDINGS):  # the last one knows best whose it is
        whose = ["bot_id"] if "bot_id" in table.columns else []
        for recording_id, day, *bot_id in _inventory_rows(archive, table, "recording_id", "day", *whose):
            before = recordings.get(recording_id)
            recordings[recording_id] = RecordingLocation(
                day, next(iter(bot_id), None) or (before.bot_id if before else None)
            )
    bots = dict(_inventory_rows(archive, BOTS, "bot_id", "day"))
    let_go = _inventory_rows(archive, AUDIT, "action", "finished_at", "recording_id", "bot_id")
    forgotten = (
        recording_id or bot_id for action, done, recording_id, bot_id in let_go if action == FORGOTTEN and done
    )
    return Inventory(recordings, bots, frozenset(forgotten))


def _inventory_rows(archive: Archive, table: Table[Any], *names: str) -> list[tuple[Any, ...]]:
    read = table.read_days(archive, columns=names)
    return list(zip(*(read.column(name).to_pylist() for name in names), strict=True))
