"""What Recall.ai says that the archive's tables do not know: a page of a listing held against what is on file.

No memory besides the archive is needed, so nothing can disagree with it: an empty cursor asks for nothing that is on
file already, and a run that failed leaves its day as news.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from recall_pipeline.audit import ErasedIds, erased_on
from recall_pipeline.days import ONE_DAY, day_of
from recall_pipeline.discovery import BOTS, RECORDINGS
from recall_pipeline.download import MIXED_AUDIO, MixedAudioRow
from recall_pipeline.recall_api import DELETED, IN_PROGRESS, AnyListed, AudioMixed, Bot, Recording, Status
from recall_pipeline.storage import Archive, Table

_OF_MP3 = (
    *("recording_id", "audio_id", "status_code", "updated_at"),
    *("has_url", "state", "captured_updated_at", "fetch_failure"),
)
KnownStatus = tuple[str | None, datetime | None]
"""Status, and the moment of its last change."""
Known = dict[str, KnownStatus]
"""The same by id."""


@dataclass(frozen=True, slots=True)
class Change:
    """A day that has changed, and the fact that tells it."""

    day: date
    fact: str


@dataclass(slots=True)
class ArchiveState:
    """The archive's tables, each day read once and only when a page touches it."""

    archive: Archive
    _bots: dict[date, Known] = field(default_factory=dict)
    _recordings: dict[date, Known] = field(default_factory=dict)
    _mp3s: dict[date, Known] = field(default_factory=dict)
    _forgotten: dict[date, ErasedIds] = field(default_factory=dict)

    def changes_in(self, listed: Iterable[AnyListed]) -> Iterator[Change]:
        """Yield what is finished in `listed` and differs from what is on file."""
        for item in listed:
            if isinstance(item, Bot):
                yield from self._of_bot(item)
            elif isinstance(item, Recording):
                yield from self._of_recording(item)
            elif item.recording and item.created_at:
                yield from self._of_mp3(item, item.recording.id, day_of(item.created_at))

    def _of_bot(self, bot: Bot) -> Iterator[Change]:
        for recording in bot.recordings:
            yield from self._of_recording(recording)
        day = bot.day
        if day is None or not bot.is_finished:
            return
        filed = next((near for near in (day, day - ONE_DAY, day + ONE_DAY) if bot.id in self._bots_of(near)), None)
        if filed is not None and bot.id in self._forgotten_of(filed).bots:
            return
        if filed is None or self._bots_of(filed)[bot.id][0] != bot.status:
            yield Change(filed or day, f"bot {bot.id} {bot.status}")

    def _of_recording(self, recording: Recording) -> Iterator[Change]:
        status = recording.status
        if recording.id in self._forgotten_of(recording.day).recordings:
            return
        if status.code not in IN_PROGRESS and _differs(status, self._recordings_of(recording.day).get(recording.id)):
            yield Change(recording.day, f"recording {recording.id} {status.code} {status.updated_at}")
        if shortcut := recording.media_shortcuts.audio_mixed:
            yield from self._of_mp3(shortcut, recording.id, recording.day)

    def _of_mp3(self, audio: AudioMixed, recording_id: str, day: date) -> Iterator[Change]:
        """An MP3 belongs to its recording's day, the artifact's own or the one before; an unknown one tells itself."""
        status = audio.status
        if not audio.is_mp3 or status.code in IN_PROGRESS:
            return
        for near in (day, day - ONE_DAY):
            if recording_id in self._forgotten_of(near).recordings:
                return
            if recording_id in self._recordings_of(near):
                if _differs(status, self._mp3s_of(near).get(audio.id)):
                    yield Change(near, f"mp3 {audio.id} {status.code} {status.updated_at}")
                return

    def _bots_of(self, day: date) -> Known:
        return self._known(self._bots, BOTS, day, "bot_id", "status", "last_changed_at")

    def _recordings_of(self, day: date) -> Known:
        return self._known(self._recordings, RECORDINGS, day, "recording_id", "status_code", "status_updated_at")

    def _mp3s_of(self, day: date) -> Known:
        if day not in self._mp3s:
            columns = MIXED_AUDIO.read_columns(self.archive, day, *_OF_MP3)
            rows = (MixedAudioRow(**dict(zip(_OF_MP3, values, strict=True))) for values in columns)
            known = (row for row in rows if not row.is_interrupted)  # else a sync that was ended would hide it
            self._mp3s[day] = {row.audio_id: (row.status_code, row.updated_at) for row in known}
        return self._mp3s[day]

    def _forgotten_of(self, day: date) -> ErasedIds:
        if day not in self._forgotten:
            self._forgotten[day] = erased_on(self.archive, day)
        return self._forgotten[day]

    def _known(self, days: dict[date, Known], table: Table[Any], day: date, *columns: str) -> Known:
        if day not in days:
            rows = table.read_columns(self.archive, day, *columns)
            days[day] = {object_id: (status, changed_at) for object_id, status, changed_at in rows}
        return days[day]


def _differs(status: Status, known: KnownStatus | None) -> bool:
    """Whether a status is not on file; what is gone may still be shown as it was, by a bot or a shortcut."""
    if known is None or known[0] != DELETED:
        return known != (status.code, status.updated_at)
    return status.updated_at is not None and (known[1] is None or status.updated_at > known[1])
