"""What Recall.ai shows about some days: their listing, and lookups of single objects, each answered once."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from typing import TypeVar

from recall_pipeline.errors import RecallError
from recall_pipeline.recall_api.client import RecallClient
from recall_pipeline.recall_api.day_listing import Listing
from recall_pipeline.recall_api.listing_spool import SpooledRecords
from recall_pipeline.recall_api.lookups import capture_errors, lookup_many
from recall_pipeline.recall_api.records import AudioMixed, Bot, Recording

T = TypeVar("T")
R = TypeVar("R", Bot, Recording)


@dataclass(frozen=True, slots=True)
class Lookups:
    """Answers by id, kept as long as the listing that they complete; None: Recall.ai does not know the object."""

    bots: dict[str, Bot | None] = field(default_factory=dict)
    recordings: dict[str, Recording | None] = field(default_factory=dict)
    artifacts_of: dict[str, dict[str, AudioMixed] | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Shown(Mapping[str, R]):
    """Records that were looked up, and beneath them those that were listed."""

    looked_up: Mapping[str, R | None]
    listed: Mapping[str, R]

    def __getitem__(self, object_id: str) -> R:
        return self.looked_up.get(object_id) or self.listed[object_id]

    def __contains__(self, object_id: object) -> bool:
        return bool(self.looked_up.get(str(object_id))) or object_id in self.listed

    def __iter__(self) -> Iterator[str]:
        found = (object_id for object_id, record in self.looked_up.items() if record)
        return chain(found, (object_id for object_id in self.listed if not self.looked_up.get(object_id)))

    def __len__(self) -> int:
        return sum(1 for _ in self)


@dataclass(frozen=True, slots=True)
class Upstream:
    """The days of one listing at Recall.ai.

    The lookups return what answered, by id. An object that Recall.ai refuses or fails to show gives its error, and is
    asked for again by the next caller; a service that does not answer at all raises RecallError.
    """

    client: RecallClient
    listing: Listing
    lookups: Lookups = field(default_factory=Lookups)

    @property
    def bots(self) -> Mapping[str, Bot]:
        """Bots that were listed or looked up, by id. They are read when they are used: a listing may be large."""
        return _Shown(self.lookups.bots, self.listing.bots)

    @property
    def recordings(self) -> Mapping[str, Recording]:
        """Recordings that were listed or looked up, by id, read when they are used."""
        return _Shown(self.lookups.recordings, self.listing.recordings)

    def bots_of(self, day: date) -> Iterator[Bot]:
        """Yield the bots whose day is `day`."""
        return _records_of_day(self.lookups.bots, self.listing.bots, day)

    def recordings_of(self, day: date) -> Iterator[Recording]:
        """Yield the recordings created on `day`."""
        return _records_of_day(self.lookups.recordings, self.listing.recordings, day)

    def embedded_in_bots(self, day: date) -> Iterator[tuple[Recording, Bot]]:
        """Yield the recordings of `day` that are embedded in bots, each with its bot."""
        listed = self.listing.spool.bots_embedding("day", day.isoformat())
        looked_up = [bot for bot in self.lookups.bots.values() if bot]
        for bot in chain((bot for bot in listed if not self.lookups.bots.get(bot.id)), looked_up):
            yield from ((recording, bot) for recording in bot.recordings if recording.day == day)

    def artifacts_by_recording(self) -> dict[str, dict[str, AudioMixed]]:
        """Return every artifact shown anywhere, by recording id and artifact id."""
        looked_up = {found.id for found in self.lookups.recordings.values() if found} | self.lookups.artifacts_of.keys()
        looked_up |= {within.id for bot in self.lookups.bots.values() if bot for within in bot.recordings}
        return dict(self.artifacts_of(self.listing.spool.ids_with_artifacts() | looked_up))

    def artifacts_of(self, recording_ids: Iterable[str]) -> Iterator[tuple[str, dict[str, AudioMixed]]]:
        """Yield the id of each of these recordings that has artifacts, and the artifacts by their ids.

        A lookup counts more than the list of artifacts, the list more than the shortcuts within recordings, unless the
        status of the other copy is newer.
        """
        looked_up: dict[str, list[Recording]] = {}
        for within in (within for bot in self.lookups.bots.values() if bot for within in bot.recordings):
            looked_up.setdefault(within.id, []).append(within)
        for recording_id in recording_ids:
            artifacts: dict[str, AudioMixed] = {}
            for audio in self._artifact_copies(recording_id, looked_up.get(recording_id, ())):
                artifacts[audio.id] = _preferred(artifacts.get(audio.id), audio)
            if artifacts or recording_id in self.lookups.artifacts_of:
                yield recording_id, artifacts

    def _artifact_copies(self, recording_id: str, in_bots_looked_up: Iterable[Recording]) -> Iterator[AudioMixed]:
        """Yield every copy of an artifact of a recording; the copies that count more come later."""
        in_listed_bots = (
            within
            for bot in self.listing.spool.bots_embedding("recording_id", recording_id)
            if not self.lookups.bots.get(bot.id)
            for within in bot.recordings
            if within.id == recording_id
        )
        own = self.recordings.get(recording_id)
        for recording in (*in_listed_bots, *in_bots_looked_up, *([own] if own else [])):
            if shortcut := recording.media_shortcuts.audio_mixed:
                yield shortcut
        yield from self.listing.audio_mixed.within(recording_id)
        yield from (self.lookups.artifacts_of.get(recording_id) or {}).values()

    async def look_up_bots(self, ids: Collection[str]) -> Mapping[str, Bot | RecallError | None]:
        """Return bots by id."""
        return await _lookups(self.client.bot, self.lookups.bots, ids)

    async def look_up_recordings(self, ids: Collection[str]) -> Mapping[str, Recording | RecallError | None]:
        """Return recordings by id."""
        return await _lookups(self.client.recording, self.lookups.recordings, ids)

    async def look_up_artifacts_of(
        self, recording_ids: Collection[str]
    ) -> Mapping[str, dict[str, AudioMixed] | RecallError | None]:
        """Return the artifacts of recordings, by recording id and artifact id."""
        return await _lookups(self.client.audio_mixed_of, self.lookups.artifacts_of, recording_ids)


def _records_of_day(looked_up: Mapping[str, R | None], listed: SpooledRecords[R], day: date) -> Iterator[R]:
    yield from (record for record in listed.of_day(day) if not looked_up.get(record.id))
    yield from (record for record in looked_up.values() if record and record.day == day)


def _preferred(before: AudioMixed | None, audio: AudioMixed) -> AudioMixed:
    """Return `audio`, which counts more, unless it has no status or an older one than `before`."""
    if before is None or before.status.code is None:
        return audio
    return before if audio.status.code is None or before.status.is_newer_than(audio.status) else audio


async def _lookups(
    ask: Callable[[str], Awaitable[T | None]], answers: dict[str, T | None], ids: Collection[str]
) -> dict[str, T | RecallError | None]:
    missing = sorted(set(ids) - answers.keys())
    found = await lookup_many(capture_errors(ask), missing)
    answers |= {object_id: answer for object_id, answer in found.items() if not isinstance(answer, RecallError)}
    return {object_id: answers[object_id] if object_id in answers else found[object_id] for object_id in ids}
