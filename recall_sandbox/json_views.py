"""How records look as JSON: the shapes of docs/design/recall-api.md, sections 4 to 6 and 10."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording
from recall_sandbox.world import World

Mint = Callable[[Artifact], str]


def bot_json(world: World, bot: SandboxBot, mint: Mint) -> dict[str, Any]:
    """A Bot with the recordings it shows; those carry no `bot` (docs/design/recall-api.md, section 5)."""
    recordings = [row for row in world.recordings_of(bot.id) if row.embedded]
    return {
        "id": bot.id,
        "meeting_url": bot.meeting_url,
        "bot_name": bot.name,
        "join_at": _stamp(bot.join_at),
        "metadata": bot.metadata,
        "recording_config": bot.recording_config,
        "status_changes": [
            {
                "code": change.code,
                "message": change.message,
                "created_at": _stamp(change.created_at),
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
    """A Recording as its own endpoints show it."""
    bot = world.bots.get(recording.bot_id or "")
    desktop_upload = {"id": recording.id, "metadata": {}} if bot is None else None
    return {
        **_recording_fields(world, recording, mint),
        "bot": {"id": bot.id, "metadata": bot.metadata} if bot else None,
        "desktop_sdk_upload": desktop_upload,
    }


def artifact_json(world: World, artifact: Artifact, mint: Mint) -> dict[str, Any]:
    """A mixed-audio artifact as its own endpoints show it, with a download link minted now."""
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
        "created_at": _stamp(recording.created_at),
        "started_at": _stamp(recording.started_at),
        "completed_at": _stamp(recording.completed_at),
        "expires_at": _stamp(recording.expires_at),
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
        "created_at": _stamp(artifact.created_at),
        "status": _status(artifact),
        "metadata": artifact.metadata,
        "data": {"download_url": mint(artifact) if has_link else None},
        "format": artifact.format,
    }


def _status(row: SandboxRecording | Artifact) -> dict[str, Any]:
    return {
        "code": row.status,
        "sub_code": row.sub_code,
        "updated_at": _stamp(row.updated_at),
    }


def _stamp(at: datetime | None) -> str | None:
    """Like `2026-03-02T09:00:21Z`, or with microseconds where there are any."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None
