"""The meetings of a workspace over a long time, and what Recall does to them afterwards."""

import heapq
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from recall_sandbox import World
from recall_sandbox.content import Content, ErrorPage, Truncated
from recall_sandbox.demo import demo_meetings
from recall_sandbox.meetings import ArtifactSpec, RecordingSpec, SampleMeeting, rows_of
from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording, SandboxStatusChange
from recall_sandbox.speech import Speech

_RECALL_KEEPS = timedelta(days=7)
_LATEST = timedelta(days=20)
_SHARE_PLAIN, _SHARE_LATE, _SHARE_REPLACED, _SHARE_BAD, _SHARE_DELETED = 0.5, 0.15, 0.06, 0.3, 0.03
_IN_PROGRESS = ("processing", "paused")
_UNFINISHED = SampleMeeting("plain", "an MP3", 0, time(9), ("ready",), (RecordingSpec(4, (ArtifactSpec(None),)),))


class Meetings:
    """Adds meetings to `world` when they end, and changes them later; `turn_to` applies all that is due.

    The recordings of half of the meetings expire at Recall after seven days. Some MP3s are finished up to 20 days
    late, some get other bytes in their first five days, and some are deleted.
    """

    def __init__(self, world: World, dice: random.Random, per_day: tuple[int, int]) -> None:
        self.world = world
        self.counts = {"meetings": 0, "finished late": 0, "replaced": 0, "deleted": 0, "expired": 0}
        self._dice = dice
        self._per_day = per_day
        self._due: list[tuple[datetime, int, Callable[[], object]]] = []
        self._number = 0

    def plan(self, day: date) -> None:
        """Plan the meetings of a day, and all that becomes of them."""
        for _ in range(self._dice.randint(*self._per_day)):
            self._number += 1
            self.counts["meetings"] += 1
            self._plan_meeting(day)

    def turn_to(self, now: datetime) -> None:
        """Apply everything that is due at `now`."""
        while self._due and self._due[0][0] <= now:
            heapq.heappop(self._due)[2]()

    def _plan_meeting(self, day: date) -> None:
        is_plain = self._dice.random() < _SHARE_PLAIN
        meeting = _UNFINISHED if is_plain else self._dice.choice(demo_meetings())
        starts = (
            meeting.starts if meeting.starts.hour == 23 else time(self._dice.randrange(24), self._dice.randrange(60))
        )
        expires = self._dice.random() < 0.5
        recordings = tuple(self._shrunk(spec, expires=expires) for spec in meeting.recordings)
        meeting = replace(
            meeting, key=f"{meeting.key} {self._number}", days_ago=0, starts=starts, recordings=recordings
        )
        rows = list(rows_of(meeting, day))
        ends_at = datetime.combine(day, starts, UTC) + timedelta(
            seconds=30 + max((r.seconds for r in recordings), default=0)
        )
        self._at(ends_at, lambda: self.world.add(*rows))
        self._plan_changes(rows, ends_at)

    def _shrunk(self, spec: RecordingSpec, *, expires: bool) -> RecordingSpec:
        artifacts = tuple(replace(artifact, content=self._short(artifact.content)) for artifact in spec.artifacts)
        if spec.artifacts == _UNFINISHED.recordings[0].artifacts:
            is_late = self._dice.random() < _SHARE_LATE
            content = None if is_late else self.speech()
            artifacts = (ArtifactSpec(content, status="processing" if is_late else "done"),)
        hours = _RECALL_KEEPS / timedelta(hours=1) if expires else None
        return replace(spec, artifacts=artifacts, retention_hours=hours)

    def _short(self, content: Content | None) -> Content | None:
        match content:
            case Speech():
                self._number += 1
                return replace(content, seconds=1, title=content.title or f"talk {self._number}")
            case Truncated():
                return replace(content, of=self.speech(2))
        return content

    def speech(self, seconds: float = 1) -> Speech:
        """Return an MP3 with bytes of its own."""
        self._number += 1
        return Speech(seconds, title=f"talk {self._number}")

    def _plan_changes(self, rows: Iterable[SandboxBot | SandboxRecording | Artifact], ends_at: datetime) -> None:
        for row in rows:
            match row:
                case SandboxRecording():
                    self._plan_for_recording(row, ends_at)
                case Artifact(format="mp3"):
                    self._plan_for_artifact(row, ends_at)

    def _plan_for_recording(self, row: SandboxRecording, ends_at: datetime) -> None:
        if row.status in _IN_PROGRESS and self._dice.random() < 0.8:
            self._at(ends_at + self._after(hours=48), lambda: self.world.finish_recording(row.id))
        if row.expires_at:
            self._at(row.expires_at, lambda: self._expire(row))
        elif self._dice.random() < _SHARE_DELETED:
            self._at(ends_at + self._after(days=10), lambda: self._delete(row.id))

    def _plan_for_artifact(self, row: Artifact, ends_at: datetime) -> None:
        if row.status == "processing":
            if self._dice.random() < 0.8:
                late = self._after(hours=12) if self._dice.random() < 0.5 else self._after(days=_LATEST.days)
                self._at(ends_at + late, lambda: self._finish(row.id))
        elif row.content and self._dice.random() < _SHARE_REPLACED:
            after = self._after(days=3)
            if self._dice.random() < _SHARE_BAD:
                bad: Content = ErrorPage() if self._dice.random() < 0.5 else Truncated(self.speech(2))
                self._at(ends_at + after, lambda: self._replace(row.id, bad))
                after += self._after(days=2)
            self._at(ends_at + after, lambda: self._replace(row.id, self.speech()))

    def _finish(self, artifact_id: str) -> None:
        row = self.world.artifacts.get(artifact_id)
        if row and row.status == "processing" and not row.gone:
            self.world.finish_artifact(artifact_id, self.speech())
            self.counts["finished late"] += 1

    def _replace(self, artifact_id: str, content: Content) -> None:
        row = self.world.artifacts.get(artifact_id)
        if row and row.content is not None:
            self.world.replace_audio(artifact_id, content)
            self.counts["replaced"] += 1

    def _delete(self, recording_id: str) -> None:
        self.world.delete_recording(recording_id, self._dice.choice(("deleted", "gone")))
        self.counts["deleted"] += 1

    def _expire(self, row: SandboxRecording) -> None:
        """Remove the recording and its MP3s, and say so in the history of its bot."""
        self.world.delete_recording(row.id, "gone")
        self.counts["expired"] += 1
        bot = self.world.bots.get(row.bot_id or "")
        if (
            bot
            and bot.status != "media_expired"
            and not any(r.expires_at is None for r in self.world.recordings_of(bot.id))
        ):
            history = (*bot.status_changes, SandboxStatusChange("media_expired", row.expires_at or row.updated_at))
            self.world.change_bot(bot.id, status_changes=history)

    def _after(self, **most: float) -> timedelta:
        return self._dice.random() * timedelta(**most)

    def _at(self, moment: datetime, change: Callable[[], object]) -> None:
        self._number += 1
        heapq.heappush(self._due, (moment, self._number, change))
