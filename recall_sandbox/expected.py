"""The expected catalog: a second, independent implementation of docs/design/interface.md, section 4.

It shares no code with the pipeline, so tests can compare the real catalog with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from recall_sandbox.content import Content, Digest, body_of, digest_of
from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording

if TYPE_CHECKING:
    from recall_sandbox.world import World

WITHOUT_MIXED_AUDIO = frozenset({"webex", "goto_meeting", "slack_authenticator", "slack_huddle_observer"})


@dataclass(frozen=True)
class ExpectedRow:
    """One expected row of the catalog: an MP3, or a recording without an MP3 (`audio_id` None)."""

    recording_id: str
    audio_id: str | None
    bot_id: str | None
    day: date
    outcome: str
    content: Content | None

    @property
    def is_archived(self) -> bool:
        """Whether the archive stores the original."""
        return self.outcome in ("ready", "silent", "corrupt")

    @property
    def digest(self) -> Digest:
        """Size and checksums of the served bytes; raises ValueError without audio."""
        return digest_of(self._served())

    @property
    def body(self) -> bytes:
        """The served bytes; raises ValueError without audio."""
        return body_of(self._served())

    def _served(self) -> Content:
        if self.content is None:
            raise ValueError(f"Recording {self.recording_id} serves no audio: it is {self.outcome}.")
        return self.content


def expected_rows(world: "World", now: datetime) -> list[ExpectedRow]:
    """One row for each MP3 that the API shows, and one for each shown recording without an MP3."""
    return [
        row for recording in world.recordings if _is_shown(world, recording) for row in _rows_of(world, recording, now)
    ]


def _is_shown(world: "World", recording: SandboxRecording) -> bool:
    shown_by_bot = recording.embedded and recording.bot_id is not None
    return recording.listed or (shown_by_bot and world.bots.get(recording.bot_id or "") is not None)


def _rows_of(world: "World", recording: SandboxRecording, now: datetime) -> Iterator[ExpectedRow]:
    bot = world.bots.get(recording.bot_id or "")
    mp3s: list[Artifact | None] = [
        artifact
        for artifact in world.artifacts_of(recording.id)
        if artifact.format == "mp3" and (artifact.listed or artifact.id == recording.shortcut_id)
    ]
    for artifact in mp3s or [None]:
        yield ExpectedRow(
            recording_id=recording.id,
            audio_id=artifact.id if artifact else None,
            bot_id=recording.bot_id,
            day=recording.created_at.date(),
            outcome=_outcome(bot, recording, artifact, now),
            content=artifact.content if artifact else None,
        )


def _outcome(bot: SandboxBot | None, recording: SandboxRecording, mp3: Artifact | None, now: datetime) -> str:
    if mp3 and mp3.status == "done" and mp3.content is not None and not mp3.gone:
        return mp3.content.outcome
    if "failed" in (recording.status, mp3.status if mp3 else None):
        return "failed_upstream"
    past_expiry = recording.expires_at is not None and recording.expires_at < now
    if _is_deleted(bot, recording, mp3) or (mp3 is None and past_expiry):
        return "expired" if past_expiry or _bot_media_expired(bot) else "deleted"
    if mp3 or recording.status in ("processing", "paused"):
        return "failed_upstream" if _is_older(recording, timedelta(hours=24), now) else "processing"
    if bot and bot.platform in WITHOUT_MIXED_AUDIO:
        return "unsupported_platform"
    if not _is_older(recording, timedelta(hours=1), now) and _may_be_requested(bot):
        return "processing"
    return "not_requested"


def _is_deleted(bot: SandboxBot | None, recording: SandboxRecording, mp3: Artifact | None) -> bool:
    gone = recording.gone or (mp3 is not None and mp3.gone)
    return gone or _bot_media_expired(bot) or "deleted" in (recording.status, mp3.status if mp3 else None)


def _bot_media_expired(bot: SandboxBot | None) -> bool:
    return bot is not None and any(change.code == "media_expired" for change in bot.status_changes)


def _is_older(recording: SandboxRecording, age: timedelta, now: datetime) -> bool:
    return recording.completed_at is not None and now - recording.completed_at > age


def _may_be_requested(bot: SandboxBot | None) -> bool:
    if bot is None or bot.recording_config is None:
        return True
    return bot.recording_config.get("audio_mixed_mp3") is not None
