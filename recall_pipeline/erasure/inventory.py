"""Inventory of what concerns one recording or bot, from some columns of all tables: ids with their days.

A day of which a table cannot be read is named in the inventory, and has what its other tables state.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from recall_pipeline.audit import AUDIT, FORGOTTEN, ErasedIds
from recall_pipeline.catalog import CATALOG
from recall_pipeline.days import ONE_DAY
from recall_pipeline.discovery import BOTS, RECORDINGS
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.erasure.returned import returned_on
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import Archive, Table, stream_days

_DAYS_AT_ONCE = 8
_Ids = Collection[str]


@dataclass(frozen=True, slots=True)
class RecordingLocation:
    """The day under which a recording is stored, and its bot."""

    day: date
    bot_id: str | None


@dataclass(frozen=True, slots=True)
class Inventory:
    """Recordings and bots by id, including those that are erased and stored again.

    `forgotten` contains the ids whose erasure is finished, `returned` the ids of the audit of which data is stored.
    `faults`: why a table of a day cannot be read. `without_bots`: days of which no table states the bots of the
    recordings.
    """

    recordings: Mapping[str, RecordingLocation]
    bots: Mapping[str, date]
    forgotten: frozenset[str]
    returned: frozenset[str] = frozenset()
    faults: Mapping[date, str] = field(default_factory=dict)
    without_bots: frozenset[date] = frozenset()

    @property
    def erased(self) -> frozenset[str]:
        """The ids of which nothing is left."""
        return self.forgotten - self.returned

    def recordings_of(self, bot_id: str) -> list[str]:
        """Return the ids of the recordings of a bot."""
        return [recording_id for recording_id, location in self.recordings.items() if location.bot_id == bot_id]


def read_inventory_of(archive: Archive, *, recording_id: str | None = None, bot_id: str | None = None) -> Inventory:
    """Read what concerns one recording or one bot.

    The inventory has the recording, its bot, all recordings of that bot, and what the audit states of them. Raises
    StorageError if the storage does not answer.
    """
    reader = _InventoryReader(archive)
    found = reader.one_recording(recording_id) if recording_id else {}
    bots = {bot_id} if bot_id else {location.bot_id for location in found.values() if location.bot_id}
    if others := reader.recordings("bot_id", bots).keys() - found.keys():  # which other tables may contradict
        located = reader.recordings("recording_id", others).items()
        found |= {name: location for name, location in located if location.bot_id in bots}
    return reader.read_about(found, bots, {*found, *([recording_id] if recording_id else [])})


@dataclass
class _InventoryReader:
    """Reads columns of all days at once, and collects the faults of single days."""

    archive: Archive
    faults: dict[date, str] = field(default_factory=dict)
    _failed: dict[str, set[date]] = field(default_factory=dict)

    def read_about(self, found: dict[str, RecordingLocation], bots: _Ids, recordings: _Ids) -> Inventory:
        """Return the inventory of `found`, of some bots, and of what the audit states of them and of `recordings`."""
        audit = [*self._audit("recording_id", recordings), *self._audit("bot_id", bots)]
        return self._with_audit(found, self._bots_near(bots, found), audit)

    def recordings(self, column: str, ids: _Ids) -> dict[str, RecordingLocation]:
        """Return the recordings with one of `ids` in a column."""
        found: dict[str, RecordingLocation] = {}
        for table in (MIXED_AUDIO, CATALOG, RECORDINGS):  # a later table overrides the bot
            names = ["recording_id", *(["bot_id"] if "bot_id" in table.columns else [])]
            for day, recording_id, *bot_id in self._rows(table, names, column, ids):
                before = found.get(recording_id)
                bot = next(iter(bot_id), None) or (before.bot_id if before else None)
                found[recording_id] = RecordingLocation(day, bot)
        return found

    def one_recording(self, recording_id: str) -> dict[str, RecordingLocation]:
        """Return a recording by its id, if any table has it; the table `recordings` is enough if it states the bot."""
        for day, _, bot_id in self._rows(RECORDINGS, ["recording_id", "bot_id"], "recording_id", [recording_id]):
            if bot_id:
                return {recording_id: RecordingLocation(day, bot_id)}
        return self.recordings("recording_id", [recording_id])

    def _bots(self, ids: _Ids, days: Collection[date] | None = None) -> dict[str, date]:
        return {bot_id: day for day, bot_id in self._rows(BOTS, ["bot_id"], "bot_id", ids, days)}

    def _bots_near(self, ids: _Ids, recordings: Mapping[str, RecordingLocation]) -> dict[str, date]:
        """Return the days of some bots, looked for first where bots mostly are: on the days of their recordings."""
        near = {location.day + offset * ONE_DAY for location in recordings.values() for offset in (-1, 0, 1)}
        found = self._bots(ids, near & set(self.archive.days(BOTS.name)))
        return found if set(ids) <= found.keys() else self._bots(ids)

    def _audit(self, column: str, ids: _Ids) -> Iterator[tuple[date, datetime, str, str]]:
        names = ["action", "finished_at", "recording_id", "bot_id"]
        for day, action, *row in self._rows(AUDIT, names, column, ids):
            if action == FORGOTTEN:
                yield (day, *row)

    def _rows(
        self,
        table: Table[Any],
        names: Sequence[str],
        column: str,
        ids: _Ids,
        days: Collection[date] | None = None,
    ) -> Iterator[tuple[Any, ...]]:
        """Yield the day and some columns of the rows that have one of `ids` in a column."""
        if column not in table.columns or not ids:
            return
        looked_in = self.archive.days(table.name) if days is None else days
        for day, scanned in stream_days(self.archive, table, looked_in, *names, where=(column, ids)):
            if scanned.error:
                self.faults.setdefault(day, str(scanned.error))
                self._failed.setdefault(table.name, set()).add(day)
            elif scanned.stored:
                values = scanned.stored.values
                yield from ((day, *row) for row in zip(*(values[name] for name in names), strict=True))

    def _with_audit(
        self,
        recordings: dict[str, RecordingLocation],
        bots: dict[str, date],
        audit: Sequence[tuple[date, datetime, str, str]],
    ) -> Inventory:
        forgotten = frozenset(recording_id or bot_id for _, finished_at, recording_id, bot_id in audit if finished_at)
        returned = self._returned(sorted({day for day, *_ in audit}))
        for day, _, recording_id, bot_id in audit:
            if recording_id in returned:
                recordings.setdefault(recording_id, RecordingLocation(day, bot_id))
            elif bot_id in returned and not recording_id:
                bots.setdefault(bot_id, day)
        faults = dict(sorted(self.faults.items()))
        return Inventory(recordings, bots, forgotten, returned, faults, self._without_bots())

    def _returned(self, days: Sequence[date]) -> frozenset[str]:
        """Return the erased ids of some days of which data is stored. Reads a few days at a time."""
        with ThreadPoolExecutor(_DAYS_AT_ONCE) as threads:
            found = list(threads.map(self._returned_on, days))
        return frozenset().union(*(ids.recordings | ids.bots for ids in found))

    def _returned_on(self, day: date) -> ErasedIds:
        try:
            return returned_on(self.archive, day)
        except StorageError as error:
            if error.retry_can_help:
                raise
            self.faults.setdefault(day, str(error))
            return ErasedIds(frozenset(), frozenset())

    def _without_bots(self) -> frozenset[date]:
        """Return the days on which both tables that state the bot of a recording are lost or unreadable."""
        failed, held = self._failed.get(RECORDINGS.name, set()), set(self.archive.days(CATALOG.name))
        return frozenset(day for day in failed if day in self._failed.get(CATALOG.name, set()) or day not in held)
