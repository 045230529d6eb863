"""List a span of days with three paginated listings, independent of the number of meetings.

The window for bots has a margin of one day on each side, because the filter may round to days. The other two have a
margin of one minute, because inclusive bounds are not documented (docs/design/recall-api.md, sections 4 to 6).
Each object is then assigned to its own day.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from recall_pipeline.days import ONE_DAY, end_of, start_of, utc_now
from recall_pipeline.recall_api.client import RecallClient
from recall_pipeline.recall_api.records import AudioMixed, Bot, Recording

_MARGIN = timedelta(minutes=1)
_MAX_SPAN_DAYS = 14  # limits the memory of a backfill
_STALE_AFTER = timedelta(minutes=45)  # download URLs and statuses expire


@dataclass(frozen=True, slots=True)
class Listing:
    """Complete listings of the days from `first` to `last`, taken at `listed_at`; records by id.

    Later lookups add their results, so that each object is looked up once. `bots_gone` has the ids of bots that no
    longer exist upstream. `unanswered` has the error by recording id for which the artifact lookup failed. `rejected`
    labels the rows that were not usable.
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
        """Return the recordings of `day` that are embedded in bots, by id, each with its bot."""
        return {r.id: (r, bot) for bot in self.bots.values() for r in bot.recordings if r.day == day}

    def artifacts_by_recording(self) -> dict[str, dict[str, AudioMixed]]:
        """Return all artifacts by recording id and artifact id; the artifact listing wins over embedded copies."""
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
    """Read the three listings for the days from `first` to `last`; raise RecallError if any is incomplete."""
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
    """Listings shared by the days of one run or one `sync`, so that adjacent days need one walk.

    `days` are the days that will be requested; if empty, each day is listed separately.
    """

    days: Sequence[date] = ()
    _current: Listing | None = field(default=None, init=False)

    async def of(self, client: RecallClient, day: date) -> Listing:
        """Return a listing that covers `day`; list again if there is none or it is older than 45 minutes."""
        current = self._current
        fresh = current is not None and current.first <= day <= current.last
        if current is None or not fresh or utc_now() - current.listed_at > _STALE_AFTER:
            current = self._current = await list_days(client, day, self._reach(day))
        return current

    def release(self, day: date) -> None:
        """Free the listing if the finished `day` is the last one that it covers."""
        if self._current and self._current.last <= day:
            self._current = None

    def _reach(self, day: date) -> date:
        """Return the last of the consecutive requested days from `day` on, up to the maximum span."""
        requested, last = set(self.days), day
        while last + ONE_DAY in requested and (last - day).days + 1 < _MAX_SPAN_DAYS:
            last += ONE_DAY
        return last
