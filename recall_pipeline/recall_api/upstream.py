"""What Recall.ai shows about some days: their listing, and lookups of single objects, each answered once."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from recall_pipeline.errors import RecallError
from recall_pipeline.recall_api.client import RecallClient
from recall_pipeline.recall_api.day_listing import Listing
from recall_pipeline.recall_api.lookups import capture_errors, lookup_many
from recall_pipeline.recall_api.records import AudioMixed, Bot, Recording

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Lookups:
    """Answers by id, kept as long as the listing that they complete; None: Recall.ai does not know the object."""

    bots: dict[str, Bot | None] = field(default_factory=dict)
    recordings: dict[str, Recording | None] = field(default_factory=dict)
    artifacts_of: dict[str, dict[str, AudioMixed] | None] = field(default_factory=dict)


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
    def bots(self) -> dict[str, Bot]:
        """Bots that were listed or looked up, by id."""
        return self.listing.bots | {bot.id: bot for bot in self.lookups.bots.values() if bot}

    @property
    def recordings(self) -> dict[str, Recording]:
        """Recordings that were listed or looked up, by id."""
        return self.listing.recordings | {found.id: found for found in self.lookups.recordings.values() if found}

    def recordings_of(self, day: date) -> list[Recording]:
        """Return the recordings created on `day`."""
        return [recording for recording in self.recordings.values() if recording.day == day]

    def embedded_in_bots(self, day: date) -> dict[str, tuple[Recording, Bot]]:
        """Return the recordings of `day` that are embedded in bots, by id, each with its bot."""
        return {r.id: (r, bot) for bot in self.bots.values() for r in bot.recordings if r.day == day}

    def artifacts_by_recording(self) -> dict[str, dict[str, AudioMixed]]:
        """Return every artifact shown anywhere, by recording id and artifact id.

        A lookup counts more than the list of artifacts, the list more than the shortcuts within recordings, unless the
        status of the other copy is newer.
        """
        found: dict[str, dict[str, AudioMixed]] = {}
        for recording_id, audio in self._artifact_copies():
            artifacts = found.setdefault(recording_id, {})
            artifacts[audio.id] = _preferred(artifacts.get(audio.id), audio)
        return found

    def _artifact_copies(self) -> Iterator[tuple[str, AudioMixed]]:
        """Yield every copy of an artifact with its recording's id; the copies that count more come later."""
        embedded = (recording for bot in self.bots.values() for recording in bot.recordings)
        for recording in (*embedded, *self.recordings.values()):
            if shortcut := recording.media_shortcuts.audio_mixed:
                yield recording.id, shortcut
        for audio in self.listing.audio_mixed.values():
            if audio.recording:
                yield audio.recording.id, audio
        for recording_id, artifacts in self.lookups.artifacts_of.items():
            yield from ((recording_id, audio) for audio in (artifacts or {}).values())

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
