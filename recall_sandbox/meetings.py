"""A meeting told in a few words, turned into the bot, recordings and artifacts that Recall would keep."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from recall_sandbox.content import Content
from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording, SandboxStatusChange

MP3_REQUESTED: Mapping[str, Any] = {
    "audio_mixed_mp3": {"metadata": {}},
    "video_mixed_mp4": None,
    "retention": {"type": "timed", "hours": 168},
}
_JOINED_AFTER = timedelta(seconds=2, microseconds=1)
_RECORDED_AFTER = timedelta(seconds=21)


@dataclass(frozen=True)
class Audio:
    """One artifact; fields as in `records.Artifact`. `in_shortcut`: the recording's shortcut shows it."""

    content: Content | None
    status: str = "done"
    sub_code: str | None = None
    format: str = "mp3"
    in_shortcut: bool = True
    listed: bool = True
    gone: bool = False
    created_after_seconds: float = 0.0


@dataclass(frozen=True)
class AudioSpec:
    """One recording, `starts_after_seconds` into the meeting; unfinished while `processing` or `paused`.

    `kept_hours` sets `expires_at` (docs/design/recall-api.md, section 7).
    """

    seconds: float
    audios: tuple[Audio, ...] = ()
    starts_after_seconds: float = 0.0
    status: str = "done"
    sub_code: str | None = None
    kept_hours: float | None = None
    listed: bool = True
    embedded: bool = True
    gone: bool = False
    says_when_started: bool = True


@dataclass(frozen=True)
class SampleMeeting:
    """A meeting, `days_ago` days before today; `story` is what it is in the world for.

    `outcomes`: what the catalog must say of its takes, in their order, at noon of today. `endings`: the
    codes of the bot's status after the last take. A desktop recording has no bot.
    """

    key: str
    story: str
    days_ago: int
    starts: time
    outcomes: tuple[str, ...]
    takes: tuple[AudioSpec, ...] = ()
    name: str = "Archive Bot"
    platform: str | None = "zoom"
    meeting_url: Any = field(default_factory=dict)
    asked_url: str | None = None
    endings: tuple[str, ...] = ("call_ended", "recording_done", "done")
    shows_join_at: bool = True
    recording_config: Mapping[str, Any] | None = field(default_factory=lambda: MP3_REQUESTED)
    metadata: Mapping[str, str] = field(default_factory=dict)
    has_bot: bool = True
    unknown_fields: Mapping[str, Any] = field(default_factory=dict)


def rows_of(meeting: SampleMeeting, today: date) -> Iterator[SandboxBot | SandboxRecording | Artifact]:
    """Everything that Recall keeps of a meeting; the same `today` gives the same ids and times."""
    day = today - timedelta(days=meeting.days_ago)
    starts_at = datetime.combine(day, meeting.starts, UTC)
    bot_id = _stable_id(today, meeting.key, "bot") if meeting.has_bot else None
    if bot_id:
        yield _bot(meeting, bot_id, starts_at)
    for number, take in enumerate(meeting.takes):
        key = f"{meeting.key}/{number}"
        recording = _recording(meeting, take, _stable_id(today, key, "recording"), bot_id, starts_at)
        artifacts = [
            _artifact(audio, _stable_id(today, f"{key}/{place}", "audio"), recording)
            for place, audio in enumerate(take.audios)
        ]
        shown = [row.id for row, audio in zip(artifacts, take.audios, strict=True) if audio.in_shortcut]
        yield replace(recording, shortcut_id=shown[0] if shown else None)
        yield from artifacts


def _bot(meeting: SampleMeeting, bot_id: str, starts_at: datetime) -> SandboxBot:
    recorded = [_recorded_at(take, starts_at) for take in meeting.takes]
    ends_at = max(
        (
            recorded_at + timedelta(seconds=take.seconds)
            for recorded_at, take in zip(recorded, meeting.takes, strict=True)
        ),
        default=starts_at + timedelta(minutes=5),
    )
    history = [
        SandboxStatusChange("ready", starts_at - timedelta(hours=20)),
        SandboxStatusChange("joining_call", starts_at + _JOINED_AFTER),
        *(SandboxStatusChange("in_call_recording", at) for at in recorded),
        *(
            SandboxStatusChange(code, ends_at + timedelta(seconds=place), *_sub_code(code))
            for place, code in enumerate(meeting.endings)
        ),
    ]
    return SandboxBot(
        id=bot_id,
        name=meeting.name,
        platform=meeting.platform,
        meeting_url=_shown_url(meeting),
        asked_url=meeting.asked_url,
        join_at=starts_at if meeting.shows_join_at else None,
        status_changes=tuple(history),
        metadata=meeting.metadata,
        recording_config=meeting.recording_config,
        unknown_fields=meeting.unknown_fields,
    )


def _recording(
    meeting: SampleMeeting, take: AudioSpec, recording_id: str, bot_id: str | None, starts_at: datetime
) -> SandboxRecording:
    created_at = _recorded_at(take, starts_at)
    ends_at = created_at + timedelta(seconds=take.seconds)
    is_finished = take.status not in ("processing", "paused")
    return SandboxRecording(
        id=recording_id,
        bot_id=bot_id,
        created_at=created_at,
        started_at=created_at if take.says_when_started else None,
        completed_at=ends_at if is_finished else None,
        updated_at=ends_at,
        status=take.status,
        sub_code=take.sub_code,
        expires_at=ends_at + timedelta(hours=take.kept_hours) if take.kept_hours else None,
        metadata=meeting.metadata,
        listed=take.listed,
        embedded=take.embedded,
        gone=take.gone,
        unknown_fields=meeting.unknown_fields,
    )


def _artifact(audio: Audio, artifact_id: str, recording: SandboxRecording) -> Artifact:
    return Artifact(
        id=artifact_id,
        recording_id=recording.id,
        created_at=recording.created_at + timedelta(seconds=audio.created_after_seconds),
        updated_at=recording.updated_at,
        content=audio.content,
        status=audio.status,
        sub_code=audio.sub_code,
        format=audio.format,
        listed=audio.listed,
        gone=audio.gone,
    )


def _recorded_at(take: AudioSpec, starts_at: datetime) -> datetime:
    return starts_at + _RECORDED_AFTER + timedelta(seconds=take.starts_after_seconds)


def _shown_url(meeting: SampleMeeting) -> Any:
    if meeting.meeting_url != {}:
        return meeting.meeting_url
    digits = int(hashlib.sha256(meeting.key.encode()).hexdigest(), 16) % 10**11
    return {"meeting_id": f"{digits:011d}", "platform": meeting.platform}


def _sub_code(code: str) -> tuple[str | None, str | None]:
    reasons = {"call_ended": "call_ended_by_host", "fatal": "bot_kicked_from_waiting_room"}
    return reasons.get(code), None


def _stable_id(today: date, key: str, kind: str) -> str:
    digest = hashlib.sha256(f"{today} {key} {kind}".encode()).digest()
    return str(UUID(bytes=digest[:16], version=4))
