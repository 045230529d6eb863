"""Compare listed objects with the archive's tables, and report changes.

The archive is the only state. So an empty cursor does not report what is archived already, and after a failed run the
changes of its day are reported again.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from recall_pipeline.audit import ErasedIds, erased_on
from recall_pipeline.days import day_of
from recall_pipeline.discovery import BOTS, RECORDINGS
from recall_pipeline.download import MIXED_AUDIO, MixedAudioRow
from recall_pipeline.errors import StorageError
from recall_pipeline.recall_api import DELETED, IN_PROGRESS, AnyListed, AudioMixed, Bot, Recording, Status
from recall_pipeline.storage import Archive, Table, raise_if_storage_is_down
from recall_pipeline.webhooks import AwaitedChange

_MP3_COLUMNS = (
    *("recording_id", "audio_id", "status_code", "updated_at"),
    *("has_url", "state", "captured_updated_at", "fetch_failure"),
)
T = TypeVar("T")
ArchivedStatus = tuple[str | None, datetime | None]
"""Status code, and the time of its last change."""
StatusById = dict[str, ArchivedStatus]


@dataclass(frozen=True, slots=True)
class Change:
    """A changed day, a text that identifies the change, and what the tables of the day will show of it."""

    day: date
    fact: str
    awaited: AwaitedChange

    @classmethod
    def of(cls, awaited: AwaitedChange) -> "Change":
        """Return the change that the tables are to show."""
        fact = f"{awaited.kind} {awaited.object_id} {awaited.code} {awaited.changed_at}"
        return cls(awaited.day, fact, awaited)


@dataclass(slots=True)
class ArchiveState:
    """The statuses in the archive's tables. Each day is read once, when an object of that day is listed.

    A table that cannot be read counts as empty, so its day is a change: the run of the day reports the fault, and other
    days go on.
    """

    archive: Archive
    _bots: dict[date, StatusById] = field(default_factory=dict)
    _recordings: dict[date, StatusById] = field(default_factory=dict)
    _mp3s: dict[date, StatusById] = field(default_factory=dict)
    _erased: dict[date, ErasedIds] = field(default_factory=dict)
    _reads: list[StorageError | None] = field(default_factory=list)

    def changes_in(self, listed: Iterable[AnyListed]) -> Iterator[Change]:
        """Yield a change for each finished object in `listed` that differs from the archive.

        Raises StorageError if the storage itself does not answer.
        """
        for item in listed:
            if isinstance(item, Bot):
                yield from self._bot_changes(item)
            elif isinstance(item, Recording):
                yield from self._recording_changes(item)
            elif item.recording and item.created_at:
                yield from self._mp3_changes(item, item.recording.id, day_of(item.created_at), _differs)
        raise_if_storage_is_down(self._reads)

    def shows(self, change: AwaitedChange) -> bool:
        """Return whether the tables show `change`, or a newer state, or that its object was erased."""
        erased, status = self._erased_of(change.day), Status(change.code, None, change.changed_at)
        if change.object_id in erased.recordings | erased.bots:
            return True
        if change.kind == "bot":
            found = (self._bots_of(near).get(change.object_id) for near in _near(change.day))
            return any(bot is not None and (bot[0] == status.code or not _differs(status, bot)) for bot in found)
        table = self._mp3s_of if change.kind == "mp3" else self._recordings_of
        archived = table(change.day).get(change.object_id)
        return archived is not None and not _differs(status, archived)

    def _bot_changes(self, bot: Bot) -> Iterator[Change]:
        for recording in bot.recordings:
            yield from self._embedded_changes(recording, bot)
        day = bot.day
        if day is None or not bot.is_finished:
            return
        archived_day = next((near for near in _near(day) if bot.id in self._bots_of(near)), None)
        if archived_day is not None and bot.id in self._erased_of(archived_day).bots:
            return
        if archived_day is None or bot.status not in (None, self._bots_of(archived_day)[bot.id][0]):
            changed_at = max((change.created_at for change in bot.status_changes if change.created_at), default=None)
            yield Change.of(AwaitedChange(archived_day or day, "bot", bot.id, bot.status, changed_at))

    def _embedded_changes(self, recording: Recording, bot: Bot) -> Iterator[Change]:
        """Yield changes that the copy of a recording in its bot shows: a copy may be older, and have fewer fields."""
        status, archived = recording.status, self._recordings_of(recording.day).get(recording.id)
        if recording.id in self._erased_of(recording.day).recordings:
            return
        if archived is None and status.code is None:  # of version 1.10 of the API
            is_change = bot.is_finished or recording.completed_at is not None
        else:
            is_change = status.code not in IN_PROGRESS and _is_news(status, archived)
        if is_change:
            yield _change_of_status(recording.day, "recording", recording.id, status)
        if shortcut := recording.media_shortcuts.audio_mixed:
            yield from self._mp3_changes(shortcut, recording.id, recording.day, _is_news)

    def _recording_changes(self, recording: Recording) -> Iterator[Change]:
        status = recording.status
        if recording.id in self._erased_of(recording.day).recordings:
            return
        if status.code not in IN_PROGRESS and _differs(status, self._recordings_of(recording.day).get(recording.id)):
            yield _change_of_status(recording.day, "recording", recording.id, status)
        if shortcut := recording.media_shortcuts.audio_mixed:
            yield from self._mp3_changes(shortcut, recording.id, recording.day, _is_news)

    def _mp3_changes(
        self,
        audio: AudioMixed,
        recording_id: str,
        day: date,
        is_change: Callable[[Status, ArchivedStatus | None], bool],
    ) -> Iterator[Change]:
        """Search the recording on the artifact's day and the week before. An unknown recording reports itself."""
        status = audio.status
        if not audio.is_mp3 or status.code in IN_PROGRESS:
            return
        for near in _week_until(day):
            if recording_id in self._erased_of(near).recordings:
                return
            if recording_id in self._recordings_of(near):
                if is_change(status, self._mp3s_of(near).get(audio.id)):
                    look_up = recording_id if near != day else None
                    yield Change.of(AwaitedChange(near, "mp3", audio.id, status.code, status.updated_at, look_up))
                return

    def _bots_of(self, day: date) -> StatusById:
        return self._statuses(self._bots, BOTS, day, "bot_id", "status", "last_changed_at")

    def _recordings_of(self, day: date) -> StatusById:
        return self._statuses(self._recordings, RECORDINGS, day, "recording_id", "status_code", "status_updated_at")

    def _mp3s_of(self, day: date) -> StatusById:
        if day not in self._mp3s:
            columns = self._columns(MIXED_AUDIO, day, *_MP3_COLUMNS)
            rows = (MixedAudioRow(**dict(zip(_MP3_COLUMNS, values, strict=True))) for values in columns)
            finished = (row for row in rows if not row.is_interrupted)  # else an interrupted sync would hide the change
            self._mp3s[day] = {row.audio_id: (row.status_code, row.updated_at) for row in finished}
        return self._mp3s[day]

    def _erased_of(self, day: date) -> ErasedIds:
        if day not in self._erased:
            self._erased[day] = self._readable(lambda: erased_on(self.archive, day), ErasedIds.of([]))
        return self._erased[day]

    def _statuses(self, days: dict[date, StatusById], table: Table[Any], day: date, *columns: str) -> StatusById:
        if day not in days:
            rows = self._columns(table, day, *columns)
            days[day] = {object_id: (status, changed_at) for object_id, status, changed_at in rows}
        return days[day]

    def _columns(self, table: Table[Any], day: date, *names: str) -> list[tuple[Any, ...]]:
        empty: list[tuple[Any, ...]] = []
        return self._readable(lambda: table.read_columns(self.archive, day, *names), empty)

    def _readable(self, read: Callable[[], T], empty: T) -> T:
        """Return what `read` returns; `empty` if the table cannot be read."""
        try:
            found = read()
        except StorageError as error:
            self._reads.append(error)
            return empty
        self._reads.append(None)
        return found


def _near(day: date) -> list[date]:
    """Return the days under which a bot can be filed, the likeliest first."""
    return _days_from(day, 0, -1, 1)


def _week_until(day: date) -> list[date]:
    """Return `day` and the seven days before it, the latest first."""
    return _days_from(day, *range(0, -8, -1))


def _days_from(day: date, *offsets: int) -> list[date]:
    """Return the days at these offsets from `day`, without those beyond the calendar."""
    first, last = date.min.toordinal(), date.max.toordinal()
    ordinals = (day.toordinal() + offset for offset in offsets)
    return [date.fromordinal(ordinal) for ordinal in ordinals if first <= ordinal <= last]


def _change_of_status(day: date, kind: str, object_id: str, status: Status) -> Change:
    return Change.of(AwaitedChange(day, kind, object_id, status.code, status.updated_at))


def _differs(status: Status, archived: ArchivedStatus | None) -> bool:
    """Return whether a list or a lookup shows a status that is not archived; a value that it leaves out is not one."""
    if archived is None or status.code is None:
        return archived is None
    code, changed_at = archived
    if status.updated_at is None or status.updated_at == changed_at:
        return code not in (status.code, DELETED)
    return changed_at is None or status.updated_at > changed_at


def _is_news(status: Status, archived: ArchivedStatus | None) -> bool:
    """Return whether a copy within another object shows more than the archive has, whose copy may be newer."""
    if archived is None:
        return True
    code, changed_at = archived
    if code is None or status.code is None:
        return code is None and status.code is not None
    return status.is_newer_than(Status(code, None, changed_at))
