"""Sample meetings in short form, and the bot, recordings and artifacts that Recall stores for one."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator

from recall_sandbox.content_choice import ChosenContent
from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording, SandboxStatusChange

MP3_REQUESTED: Mapping[str, Any] = {
    "audio_mixed_mp3": {"metadata": {}},
    "video_mixed_mp4": None,
    "retention": {"type": "timed", "hours": 168},
}
_JOINED_AFTER = timedelta(seconds=2, microseconds=1)
_RECORDED_AFTER = timedelta(seconds=21)


@dataclass(frozen=True)
class ArtifactSpec:
    """One artifact; fields as in `records.Artifact`.

    `in_shortcut`: the recording's shortcut shows it. `created_after_seconds`: delay after the recording's start.
    """

    content: ChosenContent | None
    status: str = "done"
    sub_code: str | None = None
    format: str = "mp3"
    in_shortcut: bool = True
    listed: bool = True
    gone: bool = False
    created_after_seconds: float = 0.0


@dataclass(frozen=True)
class RecordingSpec:
    """One recording that lasts `seconds`, from `starts_after_seconds` on; unfinished if `processing` or `paused`.

    Further fields as in `records.SandboxRecording`. `retention_hours` sets `expires_at` (docs/design/recall-api.md,
    section 7). Without `has_started_at` its `started_at` is null.
    """

    seconds: float
    artifacts: tuple[ArtifactSpec, ...] = ()
    starts_after_seconds: float = 0.0
    status: str = "done"
    sub_code: str | None = None
    retention_hours: float | None = None
    listed: bool = True
    embedded: bool = True
    gone: bool = False
    has_started_at: bool = True


def _quoted(starts: Any) -> Any:
    """Refuse what is not text: YAML reads 10:30 without quotes as the number 630."""
    if not isinstance(starts, str):
        raise ValueError('write the time in quotes, such as "10:30"')  # noqa: TRY004 -- pydantic collects ValueError
    return starts


@dataclass(frozen=True)
class SampleMeeting:
    """A meeting that starts at `starts` (UTC), `days_ago` days before today; `purpose` is the case that it covers.

    `outcomes`: the expected outcome of each catalog row, in order, at noon of today. `meeting_url`: {} for one made
    from `key`. `final_statuses`: the codes of the bot's status after the last recording. Without `has_bot` it is a
    desktop recording.
    """

    key: str
    purpose: str
    days_ago: int
    starts: Annotated[time, BeforeValidator(_quoted)]
    outcomes: tuple[str, ...]
    recordings: tuple[RecordingSpec, ...] = ()
    bot_name: str = "Archive Bot"
    platform: str | None = "zoom"
    meeting_url: Any = field(default_factory=dict)
    requested_url: str | None = None
    final_statuses: tuple[str, ...] = ("call_ended", "recording_done", "done")
    has_join_at: bool = True
    recording_config: Mapping[str, Any] | None = field(default_factory=lambda: MP3_REQUESTED)
    metadata: Mapping[str, str] = field(default_factory=dict)
    has_bot: bool = True
    unknown_fields: Mapping[str, Any] = field(default_factory=dict)


def rows_of(meeting: SampleMeeting, today: date) -> Iterator[SandboxBot | SandboxRecording | Artifact]:
    """Yield all rows that Recall stores for a meeting; the same `today` (UTC) gives the same ids and times."""
    day = today - timedelta(days=meeting.days_ago)
    starts_at = datetime.combine(day, meeting.starts, UTC)
    bot_id = _stable_id(today, meeting.key, "bot") if meeting.has_bot else None
    if bot_id:
        yield _bot(meeting, bot_id, starts_at)
    for number, spec in enumerate(meeting.recordings):
        key = f"{meeting.key}/{number}"
        recording = _recording(meeting, spec, _stable_id(today, key, "recording"), bot_id, starts_at)
        artifacts = [
            _artifact(artifact, _stable_id(today, f"{key}/{index}", "audio"), recording)
            for index, artifact in enumerate(spec.artifacts)
        ]
        shown = [row.id for row, artifact in zip(artifacts, spec.artifacts, strict=True) if artifact.in_shortcut]
        yield replace(recording, shortcut_id=shown[0] if shown else None)
        yield from artifacts


def _bot(meeting: SampleMeeting, bot_id: str, starts_at: datetime) -> SandboxBot:
    recorded = [_recorded_at(spec, starts_at) for spec in meeting.recordings]
    ends_at = max(
        (
            recorded_at + timedelta(seconds=spec.seconds)
            for recorded_at, spec in zip(recorded, meeting.recordings, strict=True)
        ),
        default=starts_at + timedelta(minutes=5),
    )
    history = [
        SandboxStatusChange("ready", starts_at - timedelta(hours=20)),
        SandboxStatusChange("joining_call", starts_at + _JOINED_AFTER),
        *(SandboxStatusChange("in_call_recording", at) for at in recorded),
        *(
            SandboxStatusChange(code, ends_at + timedelta(seconds=index), *_reason_of(code))
            for index, code in enumerate(meeting.final_statuses)
        ),
    ]
    return SandboxBot(
        id=bot_id,
        name=meeting.bot_name,
        platform=meeting.platform,
        meeting_url=_shown_url(meeting),
        requested_url=meeting.requested_url,
        join_at=starts_at if meeting.has_join_at else None,
        status_changes=tuple(history),
        metadata=meeting.metadata,
        recording_config=meeting.recording_config,
        unknown_fields=meeting.unknown_fields,
    )


def _recording(
    meeting: SampleMeeting, spec: RecordingSpec, recording_id: str, bot_id: str | None, starts_at: datetime
) -> SandboxRecording:
    created_at = _recorded_at(spec, starts_at)
    ends_at = created_at + timedelta(seconds=spec.seconds)
    is_finished = spec.status not in ("processing", "paused")
    return SandboxRecording(
        id=recording_id,
        bot_id=bot_id,
        created_at=created_at,
        started_at=created_at if spec.has_started_at else None,
        completed_at=ends_at if is_finished else None,
        updated_at=ends_at,
        status=spec.status,
        sub_code=spec.sub_code,
        expires_at=ends_at + timedelta(hours=spec.retention_hours) if spec.retention_hours else None,
        metadata=meeting.metadata,
        listed=spec.listed,
        embedded=spec.embedded,
        gone=spec.gone,
        unknown_fields=meeting.unknown_fields,
    )


def _artifact(spec: ArtifactSpec, artifact_id: str, recording: SandboxRecording) -> Artifact:
    return Artifact(
        id=artifact_id,
        recording_id=recording.id,
        created_at=recording.created_at + timedelta(seconds=spec.created_after_seconds),
        updated_at=recording.updated_at,
        content=spec.content,
        status=spec.status,
        sub_code=spec.sub_code,
        format=spec.format,
        listed=spec.listed,
        gone=spec.gone,
    )


def _recorded_at(spec: RecordingSpec, starts_at: datetime) -> datetime:
    return starts_at + _RECORDED_AFTER + timedelta(seconds=spec.starts_after_seconds)


def _shown_url(meeting: SampleMeeting) -> Any:
    if meeting.meeting_url != {}:
        return meeting.meeting_url
    digits = int(hashlib.sha256(meeting.key.encode()).hexdigest(), 16) % 10**11
    return {"meeting_id": f"{digits:011d}", "platform": meeting.platform}


def _reason_of(code: str) -> tuple[str | None, str | None]:
    reasons = {"call_ended": "call_ended_by_host", "fatal": "bot_kicked_from_waiting_room"}
    return reasons.get(code), None


def _stable_id(today: date, key: str, kind: str) -> str:
    digest = hashlib.sha256(f"{today} {key} {kind}".encode()).digest()
    return str(UUID(bytes=digest[:16], version=4))
