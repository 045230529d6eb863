"""Changes of a world as webhook events of Recall.ai (docs/design/recall-api.md, section 8)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording
from recall_sandbox.world import World

_BOT_EVENTS = frozenset(
    {
        "joining_call",
        "in_waiting_room",
        "in_call_not_recording",
        "recording_permission_allowed",
        "recording_permission_denied",
        "in_call_recording",
        "call_ended",
        "done",
        "fatal",
    }
)


@dataclass(frozen=True)
class SandboxEvent:
    """One webhook event: its type, and its payload before it is signed."""

    type: str
    payload: dict[str, Any]


def in_old_style(event: SandboxEvent) -> SandboxEvent | None:
    """Return an event as old set-ups send it: `bot.status_change` for all changes of a bot, and nothing else."""
    if not event.type.startswith("bot."):
        return None
    change = event.payload["data"]["data"]
    status = {"code": change["code"], "sub_code": change["sub_code"], "created_at": change["updated_at"]}
    data = {"bot_id": event.payload["data"]["bot"]["id"], "status": {**status, "message": None}}
    return SandboxEvent("bot.status_change", {"event": "bot.status_change", "data": data})


class Changes:
    """Finds the changes of a world since the last call, which saw `revision`; the first call returns every object."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.revision = -1
        self._reported: dict[str, object] = {}

    def new_events(self) -> list[SandboxEvent]:
        """Return the events since the last call, bots first."""
        with self._world.lock:
            if self._world.revision == self.revision:
                return []
            self.revision = self._world.revision
            return [*self._of_bots(), *self._of_recordings(), *self._of_artifacts()]

    def _of_bots(self) -> Iterator[SandboxEvent]:
        for bot in self._world.bots:
            reported = self._reported.get(bot.id, 0)
            assert isinstance(reported, int)  # noqa: S101 -- the number of its reported changes
            for change in bot.status_changes[reported:]:
                if change.code in _BOT_EVENTS:
                    yield _event_of("bot", change.code, change.sub_code, change.created_at, bot=bot)
            self._reported[bot.id] = len(bot.status_changes)

    def _of_recordings(self) -> Iterator[SandboxEvent]:
        for row in self._world.recordings:
            if self._is_new(row):
                bot = self._world.bots.get(row.bot_id or "")
                yield _event_of("recording", row.status, row.sub_code, row.updated_at, recording=row, bot=bot)

    def _of_artifacts(self) -> Iterator[SandboxEvent]:
        for row in self._world.artifacts:
            recording = self._world.recordings.get(row.recording_id)
            if self._is_new(row):
                bot = self._world.bots.get(recording.bot_id or "") if recording else None
                objects = {"audio_mixed": row, "recording": recording, "bot": bot}
                yield _event_of("audio_mixed", row.status, row.sub_code, row.updated_at, **objects)

    def _is_new(self, row: SandboxRecording | Artifact) -> bool:
        now = (row.status, row.updated_at)
        before, self._reported[row.id] = self._reported.get(row.id), now
        return before != now


def _event_of(
    kind: str, code: str, sub_code: str | None, at: datetime, **objects: SandboxBot | SandboxRecording | Artifact | None
) -> SandboxEvent:
    named = {name: {"id": row.id, "metadata": row.metadata} for name, row in objects.items() if row}
    change = {"code": code, "sub_code": sub_code, "updated_at": at.isoformat()}
    return SandboxEvent(f"{kind}.{code}", {"event": f"{kind}.{code}", "data": {"data": change, **named}})
