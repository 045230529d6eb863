"""Meetings on a sandbox, and what discovery files of them, step by step."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

from recall_pipeline.discovery import BOTS, RECORDINGS, BotRow, RecordingRow, sync_bots, sync_recordings
from recall_pipeline.recall_api import Upstream, list_days, open_client
from recall_pipeline.settings import Settings
from recall_pipeline.storage import open_archive, open_day
from recall_pipeline_tests.workspace import DAY, NINE, an_id
from recall_sandbox import Sandbox
from recall_sandbox.records import SandboxBot, SandboxRecording, SandboxStatusChange

_AS_IT_STARTS = datetime.max.replace(tzinfo=UTC)
_LASTS = timedelta(minutes=30)


class Workplace:
    """Adds meetings to a sandbox, and keeps the tables of bots and recordings as the assets do."""

    def __init__(self, sandbox: Sandbox, settings: Settings) -> None:
        self.sandbox = sandbox
        self.world = sandbox.world
        self.settings = settings
        self.archive = open_archive(settings)

    def meet(
        self,
        name: str,
        at: datetime = NINE,
        *,
        joins_at: datetime | None = _AS_IT_STARTS,
        joined_at: datetime | None = None,
        endings: tuple[str, ...] = ("done",),
        **of_recording: Any,
    ) -> SandboxRecording:
        """Add a bot that is to join at `joins_at` (default: when the recording starts), and its recording."""
        bot = SandboxBot(
            id=an_id(f"{name} bot"),
            name="Archive Bot",
            platform="zoom",
            meeting_url={"meeting_id": "812", "platform": "zoom", "meeting_password": "pass-of-nobody"},
            requested_url=None,
            join_at=at if joins_at is _AS_IT_STARTS else joins_at,
            status_changes=(
                SandboxStatusChange("ready", at - timedelta(hours=1)),
                SandboxStatusChange("joining_call", joined_at or at),
                *(SandboxStatusChange(code, at + _LASTS + timedelta(minutes=n)) for n, code in enumerate(endings)),
            ),
            recording_config={"audio_mixed_mp3": {}},
        )
        times = {"created_at": at, "started_at": at, "completed_at": at + _LASTS, "updated_at": at + _LASTS}
        recording = SandboxRecording(**{"id": an_id(name), "bot_id": bot.id} | times | of_recording)
        self.world.add(bot, recording)
        return recording

    def bots(self, day: date = DAY, *, last: date | None = None) -> list[BotRow]:
        """Discover and file the bots of `day`, listed together with the days until `last`."""
        asyncio.run(self._discover(day, last or day, ("bots",)))
        return BOTS.read(self.archive, day) or []

    def recordings(self, day: date = DAY) -> list[RecordingRow]:
        """Discover and file the recordings of `day`."""
        asyncio.run(self._discover(day, day, ("recordings",)))
        return RECORDINGS.read(self.archive, day) or []

    def both(self, day: date = DAY) -> list[BotRow]:
        """Discover and file both from one listing; return the bots."""
        asyncio.run(self._discover(day, day, ("bots", "recordings")))
        return BOTS.read(self.archive, day) or []

    def gaps(self) -> list[str]:
        """The paths that were asked for beside the lists, in order."""
        return [access.path for access in self.sandbox.access_log.only(origin="api", path=r"/[0-9a-f-]{36}/$")]

    async def _discover(self, day: date, last: date, tables: tuple[str, ...]) -> None:
        async with open_client(self.settings) as client:
            upstream = Upstream(client, await list_days(client, day, last))
            with open_day(self.archive, day) as archive_day:
                if "bots" in tables:
                    await sync_bots(archive_day, upstream)
                if "recordings" in tables:
                    await sync_recordings(archive_day, upstream)
