"""The meetings of a workspace, and every change that Recall can make to them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from threading import RLock
from typing import Any, Literal, TypeVar

from recall_sandbox.clock import Clock, system_now
from recall_sandbox.content import Content
from recall_sandbox.expected import ExpectedRow, expected_rows
from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording
from recall_sandbox.time_index import TimeIndex

Row = TypeVar("Row", SandboxBot, SandboxRecording, Artifact)
Deleted = Literal["deleted", "gone"]


class World:
    """Bots, recordings and artifacts; thread-safe, also while the sandbox serves them.

    `revision` grows with every change; `clock` dates it. While `listings_are_empty` the lists are empty, but lookups
    still work. Methods raise KeyError for an unknown id.
    """

    def __init__(self, clock: Clock = system_now) -> None:
        self._clock = clock
        self.lock = RLock()
        self.revision = 0
        self.listings_are_empty = False
        self.bots: TimeIndex[SandboxBot] = TimeIndex(lambda bot: bot.id, lambda bot: bot.join_at)
        self.recordings: TimeIndex[SandboxRecording] = TimeIndex(lambda row: row.id, lambda row: row.created_at)
        self.artifacts: TimeIndex[Artifact] = TimeIndex(lambda row: row.id, lambda row: row.created_at)
        self._recordings_of_bot: dict[str, list[str]] = defaultdict(list)
        self._artifacts_of_recording: dict[str, list[str]] = defaultdict(list)

    def add(self, *rows: SandboxBot | SandboxRecording | Artifact) -> None:
        """Add new bots, recordings and artifacts."""
        with self.lock:
            for row in rows:
                match row:
                    case SandboxBot():
                        self.bots.put(row)
                    case SandboxRecording():
                        self.recordings.put(row)
                        self._recordings_of_bot[row.bot_id or ""].append(row.id)
                    case Artifact():
                        self.artifacts.put(row)
                        self._artifacts_of_recording[row.recording_id].append(row.id)
            self.revision += 1

    def recordings_of(self, bot_id: str) -> list[SandboxRecording]:
        """The recordings of a bot, in the order in which they were added."""
        with self.lock:
            return _present(self.recordings, self._recordings_of_bot.get(bot_id, ()))

    def artifacts_of(self, recording_id: str) -> list[Artifact]:
        """The artifacts of a recording, in the order in which they were added."""
        with self.lock:
            return _present(self.artifacts, self._artifacts_of_recording.get(recording_id, ()))

    def change_bot(self, bot_id: str, **changes: Any) -> SandboxBot:
        """Replace fields of a bot."""
        return self._change(self.bots, bot_id, changes)

    def change_recording(self, recording_id: str, **changes: Any) -> SandboxRecording:
        """Replace fields of a recording."""
        return self._change(self.recordings, recording_id, changes)

    def change_artifact(self, artifact_id: str, **changes: Any) -> Artifact:
        """Replace fields of an artifact."""
        return self._change(self.artifacts, artifact_id, changes)

    def delete_artifact(self, artifact_id: str, reads_as: Deleted = "deleted") -> None:
        """Delete an artifact upstream: a lookup then answers 200 with the status `deleted`, or 404."""
        with self.lock:
            gone = reads_as == "gone"
            artifact = self.change_artifact(
                artifact_id,
                content=None,
                status="deleted",
                gone=gone,
                listed=not gone,
                updated_at=self._clock(),
            )
            recording = self.recordings.get(artifact.recording_id)
            if recording and recording.shortcut_id == artifact_id:
                self.change_recording(recording.id, shortcut_id=None)

    def delete_recording(self, recording_id: str, reads_as: Deleted = "deleted") -> None:
        """Delete a recording and its artifacts upstream."""
        with self.lock:
            for artifact in self.artifacts_of(recording_id):
                self.delete_artifact(artifact.id, reads_as)
            gone = reads_as == "gone"
            self.change_recording(
                recording_id,
                status="deleted",
                gone=gone,
                listed=not gone,
                embedded=not gone,
                updated_at=self._clock(),
            )

    def finish_artifact(self, artifact_id: str, content: Content) -> None:
        """Complete an artifact: from now on it has a download link."""
        self.change_artifact(artifact_id, status="done", content=content, updated_at=self._clock())

    def finish_recording(self, recording_id: str, completed_at: datetime | None = None) -> None:
        """Complete a recording that is processing or paused."""
        now = self._clock()
        self.change_recording(recording_id, status="done", completed_at=completed_at or now, updated_at=now)

    def replace_audio(self, artifact_id: str, content: Content) -> None:
        """Replace an artifact's bytes, with a new `updated_at`."""
        self.finish_artifact(artifact_id, content)

    def empty_listings(self, *, empty: bool = True) -> None:
        """Make every list empty, or restore the lists."""
        with self.lock:
            self.listings_are_empty = empty
            self.revision += 1

    def expected_rows(self, now: datetime | None = None) -> list[ExpectedRow]:
        """The expected catalog of an archive that starts empty and syncs at `now`."""
        with self.lock:
            return expected_rows(self, now or self._clock())

    def _change(self, index: TimeIndex[Row], row_id: str, changes: dict[str, Any]) -> Row:
        with self.lock:
            row = index.get(row_id)
            if row is None:
                raise KeyError(row_id)
            changed = replace(row, **changes)
            index.put(changed)
            self.revision += 1
            return changed


def _present(index: TimeIndex[Row], ids: Iterable[str]) -> list[Row]:
    return [row for row in map(index.get, ids) if row is not None]
