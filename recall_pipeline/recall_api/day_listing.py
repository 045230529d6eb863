"""What the API lists for a span of days: three walks, whatever the number of meetings.

Bots are asked for a day more on each side, since the filter may be as coarse as a day; the other two for a minute
more, since nobody says whether their bounds are inclusive (docs/design/recall-api.md, sections 4 to 6). Then everything
is sorted by its own day.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from recall_pipeline.days import ONE_DAY, end_of, start_of, utc_now
from recall_pipeline.recall_api.client import RecallClient
from recall_pipeline.recall_api.records import AudioMixed, Bot, Recording

_MARGIN = timedelta(minutes=1)
_LONGEST_SPAN_DAYS = 14  # bounds the memory of a backfill
_STALE_AFTER = timedelta(minutes=45)  # a listing's URLs and statuses grow old


@dataclass(frozen=True, slots=True)
class Listing:
    """Whole listings of the days from `first` to `last`, as they were at `listed_at`.

    Whoever asks for one object more adds the answer, so that nobody asks again; `unanswered` says why nobody knows
    whether a recording has an artifact.
    """

    first: date
    last: date
    listed_at: datetime
    bots: dict[str, Bot]
    recordings: dict[str, Recording]
    audio_mixed: dict[str, AudioMixed]
    rejected: tuple[str, ...] = ()
    bots_gone: set[str] = field(default_factory=set)
    unanswered: dict[str, str] = field(default_factory=dict)

    def recordings_of(self, day: date) -> list[Recording]:
        """Return the recordings created on `day`."""
        return [recording for recording in self.recordings.values() if recording.day == day]

    def embedded_in_bots(self, day: date) -> dict[str, tuple[Recording, Bot]]:
        """Return the recordings of `day` that bots show within themselves, by id, each with its bot."""
        return {r.id: (r, bot) for bot in self.bots.values() for r in bot.recordings if r.day == day}

    def artifacts_by_recording(self) -> dict[str, dict[str, AudioMixed]]:
        """Return every artifact shown anywhere, by its recording's id and its own; the walk's reading counts most."""
        found: dict[str, dict[str, AudioMixed]] = {}
        embedded = (recording for bot in self.bots.values() for recording in bot.recordings)
        for recording in (*embedded, *self.recordings.values()):
            if shortcut := recording.media_shortcuts.audio_mixed:
                found.setdefault(recording.id, {})[shortcut.id] = shortcut
        for audio in self.audio_mixed.values():
            if audio.recording:
                found.setdefault(audio.recording.id, {})[audio.id] = audio
        return found


async def list_days(client: RecallClient, first: date, last: date) -> Listing:
    """Walk the three listings for the days from `first` to `last`; raise RecallError unless all are whole."""
    listed_at = utc_now()
    created = (start_of(first) - _MARGIN, end_of(last) + _MARGIN)
    already_rejected = len(client.rejected)
    try:
        async with asyncio.TaskGroup() as walks:
            bots = walks.create_task(client.bots((start_of(first - ONE_DAY), end_of(last + ONE_DAY))))
            recordings = walks.create_task(client.recordings(created))
            audio = walks.create_task(client.audio_mixed(created))
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    rejected = tuple(client.rejected[already_rejected:])
    return Listing(first, last, listed_at, bots.result(), recordings.result(), audio.result(), rejected)


@dataclass(slots=True)
class Listings:
    """Listings shared by the days of one run or one `sync`, so that neighbours cost one walk.

    `days` are those that will be asked for; with none, each day is walked for itself.
    """

    days: Sequence[date] = ()
    _current: Listing | None = field(default=None, init=False)

    async def of(self, client: RecallClient, day: date) -> Listing:
        """Return a listing that covers `day`, walking when there is none or it has grown old."""
        current = self._current
        fresh = current is not None and current.first <= day <= current.last
        if current is None or not fresh or utc_now() - current.listed_at > _STALE_AFTER:
            current = self._current = await list_days(client, day, self._reach(day))
        return current

    def release(self, day: date) -> None:
        """Give back the memory of the listing if `day`, which is done with, is the last that it covers."""
        if self._current and self._current.last <= day:
            self._current = None

    def _reach(self, day: date) -> date:
        """Return the last day worth listing together with `day`: consecutive ones, up to the longest span."""
        wanted, last = set(self.days), day
        while last + ONE_DAY in wanted and (last - day).days + 1 < _LONGEST_SPAN_DAYS:
            last += ONE_DAY
        return last
