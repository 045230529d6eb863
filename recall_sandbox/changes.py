"""What changes in a world, as the events that Recall.ai would send (docs/design/recall-api.md, section 8)."""

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
class Told:
    """One event before it is signed: its type, and its payload."""

    type: str
    payload: dict[str, Any]


class Changes:
    """Compares the world with what it was at the look before, its `revision`; the first look tells all that is."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.revision = -1
        self._known: dict[str, object] = {}

    def look(self) -> list[Told]:
        """Return what has changed since the look before, bots first."""
        with self._world.lock:
            if self._world.revision == self.revision:
                return []
            self.revision = self._world.revision
            return [*self._of_bots(), *self._of_recordings(), *self._of_artifacts()]

    def _of_bots(self) -> Iterator[Told]:
        for bot in self._world.bots:
            known = self._known.get(bot.id, 0)
            assert isinstance(known, int)  # noqa: S101 -- how many of its changes were told
            for change in bot.status_changes[known:]:
                if change.code in _BOT_EVENTS:
                    yield _event_of("bot", change.code, change.sub_code, change.created_at, bot=bot)
            self._known[bot.id] = len(bot.status_changes)

    def _of_recordings(self) -> Iterator[Told]:
        for row in self._world.recordings:
            if self._is_new(row):
                bot = self._world.bots.get(row.bot_id or "")
                yield _event_of("recording", row.status, row.sub_code, row.updated_at, recording=row, bot=bot)

    def _of_artifacts(self) -> Iterator[Told]:
        for row in self._world.artifacts:
            recording = self._world.recordings.get(row.recording_id)
            if self._is_new(row):
                bot = self._world.bots.get(recording.bot_id or "") if recording else None
                objects = {"audio_mixed": row, "recording": recording, "bot": bot}
                yield _event_of("audio_mixed", row.status, row.sub_code, row.updated_at, **objects)

    def _is_new(self, row: SandboxRecording | Artifact) -> bool:
        now = (row.status, row.updated_at)
        before, self._known[row.id] = self._known.get(row.id), now
        return before != now


def _event_of(
    kind: str, code: str, sub_code: str | None, at: datetime, **objects: SandboxBot | SandboxRecording | Artifact | None
) -> Told:
    named = {name: {"id": row.id, "metadata": row.metadata} for name, row in objects.items() if row}
    change = {"code": code, "sub_code": sub_code, "updated_at": at.isoformat()}
    return Told(f"{kind}.{code}", {"event": f"{kind}.{code}", "data": {"data": change, **named}})
