"""Records as JSON, in the shapes of docs/design/recall-api.md, sections 1, 4 to 6 and 10."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from recall_sandbox.behaviour import Behaviour
from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording
from recall_sandbox.world import World

Mint = Callable[[Artifact], str]
_FOUR_FIELDS = ("id", "created_at", "started_at", "completed_at")
_NULLABLE = ("status", "media_shortcuts", "expires_at", "metadata")
_FINISHED = frozenset({"done", "fatal", "analysis_done", "analysis_failed", "media_expired"})
PARTICIPANT = "Nobody Sandboxdottir"
"""The name that bots of version 1.10 show; no archive may contain it."""


@dataclass(frozen=True)
class JsonViews:
    """The JSON of each kind of object, with a new download link from `mint` for each artifact."""

    world: World
    behaviour: Behaviour
    mint: Mint

    def bot(self, bot: SandboxBot) -> dict[str, Any]:
        """A Bot with its embedded recordings, which have no field `bot` (docs/design/recall-api.md, section 5)."""
        codes = {change.code for change in bot.status_changes}
        recordings = [row for row in self.world.recordings_of(bot.id) if row.embedded and not self._is_hidden(row)]
        if self.behaviour.hides_expired and "media_expired" in codes:
            recordings = []
        is_cleared = self.behaviour.clears_meeting_urls and not codes.isdisjoint(_FINISHED)
        return {
            "id": bot.id,
            "meeting_url": None if is_cleared else bot.meeting_url,
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
            "recordings": [self._embedded(row) for row in recordings],
            "calendar_meetings": [],
            "slack_team": None,
            **(_fields_of_v1_10() if self.behaviour.bots_of_v1_10 else {}),
            **bot.unknown_fields,
        }

    def recording(self, recording: SandboxRecording) -> dict[str, Any]:
        """A Recording as the recording endpoints show it."""
        bot = self.world.bots.get(recording.bot_id or "")
        desktop_upload = {"id": recording.id, "metadata": {}} if bot is None else None
        return {
            **self._recording_fields(recording),
            "bot": {"id": bot.id, "metadata": bot.metadata} if bot else None,
            "desktop_sdk_upload": desktop_upload,
        }

    def artifact(self, artifact: Artifact) -> dict[str, Any]:
        """A mixed-audio artifact as its endpoints show it."""
        recording = self.world.recordings.get(artifact.recording_id)
        metadata = recording.metadata if recording else {}
        return {
            **self._artifact_fields(artifact),
            "recording": {"id": artifact.recording_id, "metadata": metadata},
        }

    def _is_hidden(self, recording: SandboxRecording) -> bool:
        return self.behaviour.deleted_answers_404 and recording.status == "deleted"

    def _embedded(self, recording: SandboxRecording) -> dict[str, Any]:
        fields = self._recording_fields(recording)
        shape = self.behaviour.embedded
        if shape == "mixed":
            shape = ("full", "four_fields", "nulls")[_number_of(recording.id) % 3]
        if shape == "four_fields":
            return {name: fields[name] for name in _FOUR_FIELDS}
        return fields | dict.fromkeys(_NULLABLE) if shape == "nulls" else fields

    def _recording_fields(self, recording: SandboxRecording) -> dict[str, Any]:
        shown = self.world.artifacts.get(recording.shortcut_id or "")
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
                "audio_mixed": self._artifact_fields(shown) if shown else None,
            },
            "metadata": recording.metadata,
            **recording.unknown_fields,
        }

    def _artifact_fields(self, artifact: Artifact) -> dict[str, Any]:
        has_link = artifact.status == "done" and artifact.content is not None
        link = {"download_url": self.mint(artifact) if has_link else None}
        place = self.behaviour.link_place
        is_flat = place == "flat" or (place == "mixed" and _number_of(artifact.id) % 2 == 0)
        return {
            "id": artifact.id,
            "created_at": _timestamp(artifact.created_at),
            "status": _status(artifact),
            "metadata": artifact.metadata,
            **(link if is_flat or place == "both" else {}),
            **({} if is_flat else {"data": link}),
            "format": artifact.format,
        }


def _fields_of_v1_10() -> dict[str, Any]:
    """Further fields of a bot of version 1.10 (docs/design/recall-api.md, section 1)."""
    return {
        "meeting_participants": [{"id": 1, "name": PARTICIPANT, "is_host": True, "events": []}],
        "video_url": "https://media.invalid/video.mp4?Signature=nobody",
        "meeting_metadata": {"title": None},
        "media_retention_end": None,
    }


def _number_of(object_id: str) -> int:
    return int(object_id[-4:], 16)


def _status(row: SandboxRecording | Artifact) -> dict[str, Any]:
    return {
        "code": row.status,
        "sub_code": row.sub_code,
        "updated_at": _timestamp(row.updated_at),
    }


def _timestamp(at: datetime | None) -> str | None:
    """ISO 8601 such as `2026-03-02T09:00:21Z`, with microseconds unless they are 0."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None
