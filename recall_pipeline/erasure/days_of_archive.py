"""What the tables and the audit of each day state of its recordings and bots, one day after another."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from recall_pipeline.audit import AUDIT, FORGOTTEN, ErasedIds
from recall_pipeline.catalog import CATALOG
from recall_pipeline.discovery import BOTS, RECORDINGS
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.erasure.returned import returned_on
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import Archive, ScannedDay, Table, stream_tables

_COLUMNS: Mapping[Table[Any], Sequence[str]] = {  # a later table overrides the bot
    MIXED_AUDIO: ("recording_id",),
    CATALOG: ("recording_id", "bot_id"),
    RECORDINGS: ("recording_id", "bot_id"),
    BOTS: ("bot_id",),
    AUDIT: ("action", "finished_at", "recording_id", "bot_id"),
}


@dataclass(slots=True)
class DayIds:
    """The recordings of a day with their bots, and the bots of the day; also those that only the audit names.

    `forgotten`: the ids whose erasure is finished. `returned`: the ids of the audit of which data is stored, as far as
    it was looked for. `error`: why a table cannot be read; the day has what its other tables state. `lacks_bots`:
    whether no table states the bots of its recordings.
    """

    day: date
    recordings: dict[str, str | None] = field(default_factory=dict)
    bots: set[str] = field(default_factory=set)
    forgotten: set[str] = field(default_factory=set)
    returned: frozenset[str] = frozenset()
    last_erased_at: datetime | None = None
    error: StorageError | None = None
    lacks_bots: bool = False

    @property
    def erased(self) -> set[str]:
        """The ids of which nothing is left."""
        return self.forgotten - self.returned

    @property
    def never_erased(self) -> set[str]:
        """The ids of the recordings that were never erased: rows of erased ones stay in the tables."""
        return self.recordings.keys() - self.forgotten


def days_to_plan(archive: Archive) -> list[date]:
    """Return the days for which the archive has a table that names recordings or bots, sorted."""
    return sorted({day for table in _COLUMNS for day in archive.days(table.name)})


def stream_ids(archive: Archive, days: Collection[date], *, with_returned: bool) -> Iterator[DayIds]:
    """Yield the ids of each day; few days are in memory. `with_returned`: also look for erased data that is stored.

    Raises StorageError if the storage does not answer.
    """
    for day, scanned in stream_tables(archive, days, _COLUMNS):
        ids = _ids_of(day, scanned)
        if with_returned and (ids.forgotten or ids.returned):
            _look_for_returned(archive, ids)
        yield ids


def _ids_of(day: date, scanned: Mapping[str, ScannedDay]) -> DayIds:
    ids = DayIds(day, error=next((each.error for each in scanned.values() if each.error), None))
    for table in (MIXED_AUDIO, CATALOG, RECORDINGS):
        for recording_id, *bot_id in _stored_rows(scanned, table):
            ids.recordings[recording_id] = next(iter(bot_id), None) or ids.recordings.get(recording_id)
    ids.bots.update(bot_id for (bot_id,) in _stored_rows(scanned, BOTS))
    ids.lacks_bots = _has_error(scanned, RECORDINGS) and (CATALOG.name not in scanned or _has_error(scanned, CATALOG))
    _add_audit(ids, scanned)
    return ids


def _add_audit(ids: DayIds, scanned: Mapping[str, ScannedDay]) -> None:
    """Add what the audit states; data of an interrupted erasure counts as stored."""
    interrupted = set[str]()
    for action, finished_at, recording_id, bot_id in _stored_rows(scanned, AUDIT):
        if action != FORGOTTEN:
            continue
        if finished_at is not None:
            ids.forgotten.add(recording_id or bot_id)
            ids.last_erased_at = max(finished_at, ids.last_erased_at or finished_at)
            continue
        interrupted.add(recording_id or bot_id)
        if recording_id:
            ids.recordings.setdefault(recording_id, bot_id)
        else:
            ids.bots.add(bot_id)
    ids.returned = frozenset(interrupted)


def _look_for_returned(archive: Archive, ids: DayIds) -> None:
    try:
        returned = returned_on(archive, ids.day)
    except StorageError as error:
        if error.retry_can_help:
            raise
        ids.error = ids.error or error
        returned = ErasedIds(frozenset(), frozenset())
    ids.returned |= returned.recordings | returned.bots
    ids.bots |= returned.bots
    for recording_id in returned.recordings:
        ids.recordings.setdefault(recording_id, None)


def _stored_rows(scanned: Mapping[str, ScannedDay], table: Table[Any]) -> Iterator[tuple[Any, ...]]:
    stored = scanned[table.name].stored if table.name in scanned else None
    yield from zip(*stored.values.values(), strict=True) if stored else ()


def _has_error(scanned: Mapping[str, ScannedDay], table: Table[Any]) -> bool:
    return table.name in scanned and scanned[table.name].error is not None
