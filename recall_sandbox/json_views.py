"""Records as JSON, in the shapes of docs/design/recall-api.md, sections 4 to 6 and 10."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording
from recall_sandbox.world import World

Mint = Callable[[Artifact], str]


def bot_json(world: World, bot: SandboxBot, mint: Mint) -> dict[str, Any]:
    """A Bot with its embedded recordings, which have no field `bot` (docs/design/recall-api.md, section 5)."""
    recordings = [row for row in world.recordings_of(bot.id) if row.embedded]
    return {
        "id": bot.id,
        "meeting_url": bot.meeting_url,
        "bot_name": bot.name,
        "join_at": _timestamp(bot.join_at),
        "metadata": bot.metadata,
        "recording_config": bot.recording_config,
        "status_changes": [
            {
                "code": change.code,
                "message": change.message,
                "created_at": _timestamp(change.created_at),
                "sub_code": change.sub_code,
            }
            for change in bot.status_changes
        ],
        "recordings": [_recording_fields(world, row, mint) for row in recordings],
        "calendar_meetings": [],
        "slack_team": None,
        **bot.unknown_fields,
    }


def recording_json(world: World, recording: SandboxRecording, mint: Mint) -> dict[str, Any]:
    """A Recording as the recording endpoints show it."""
    bot = world.bots.get(recording.bot_id or "")
    desktop_upload = {"id": recording.id, "metadata": {}} if bot is None else None
    return {
        **_recording_fields(world, recording, mint),
        "bot": {"id": bot.id, "metadata": bot.metadata} if bot else None,
        "desktop_sdk_upload": desktop_upload,
    }


def artifact_json(world: World, artifact: Artifact, mint: Mint) -> dict[str, Any]:
    """A mixed-audio artifact as its endpoints show it, with a new download link from `mint`."""
    recording = world.recordings.get(artifact.recording_id)
    metadata = recording.metadata if recording else {}
    return {
        **_artifact_fields(artifact, mint),
        "recording": {"id": artifact.recording_id, "metadata": metadata},
    }


def _recording_fields(world: World, recording: SandboxRecording, mint: Mint) -> dict[str, Any]:
    shown = world.artifacts.get(recording.shortcut_id or "")
    shortcuts = dict.fromkeys(("video_mixed", "transcript", "participant_events", "meeting_metadata"))
    return {
        "id": recording.id,
        "created_at": _timestamp(recording.created_at),
        "started_at": _timestamp(recording.started_at),
        "completed_at": _timestamp(recording.completed_at),
        "expires_at": _timestamp(recording.expires_at),
        "status": _status(recording),
        "media_shortcuts": {
            **shortcuts,
            "audio_mixed": _artifact_fields(shown, mint) if shown else None,
        },
        "metadata": recording.metadata,
        **recording.unknown_fields,
    }


def _artifact_fields(artifact: Artifact, mint: Mint) -> dict[str, Any]:
    has_link = artifact.status == "done" and artifact.content is not None
    return {
        "id": artifact.id,
        "created_at": _timestamp(artifact.created_at),
        "status": _status(artifact),
        "metadata": artifact.metadata,
        "data": {"download_url": mint(artifact) if has_link else None},
        "format": artifact.format,
    }


def _status(row: SandboxRecording | Artifact) -> dict[str, Any]:
    return {
        "code": row.status,
        "sub_code": row.sub_code,
        "updated_at": _timestamp(row.updated_at),
    }


def _timestamp(at: datetime | None) -> str | None:
    """ISO 8601 such as `2026-03-02T09:00:21Z`, with microseconds unless they are 0."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None
