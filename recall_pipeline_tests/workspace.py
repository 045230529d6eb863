"""A workspace with a few recordings of one day on a sandbox, and what a sync makes of them, step by step."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import httpx

from recall_pipeline.catalog import Cataloged, catalog_day
from recall_pipeline.discovery import RECORDINGS, discover_recordings
from recall_pipeline.download import (
    MIXED_AUDIO,
    DownloadPlan,
    DownloadReport,
    MixedAudioRow,
    download_day,
    find_artifacts,
)
from recall_pipeline.recall_api import RecallClient, open_client
from recall_pipeline.recall_api.day_listing import list_days
from recall_pipeline.settings import Settings
from recall_pipeline.storage import open_archive
from recall_pipeline_tests.storages import stored, stored_keys
from recall_sandbox import Access, Sandbox
from recall_sandbox.content import Content
from recall_sandbox.effects import Answer, Call
from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording, SandboxStatusChange
from recall_sandbox.speech import Speech

DAY = date(2026, 3, 2)
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
_TALK_SECONDS = 6


def talk(number: int = 0) -> Speech:
    """A short MP3; another number, other bytes."""
    return Speech(_TALK_SECONDS, title=f"talk {number}")


def an_id(name: str) -> str:
    """A UUID that a name always gets."""
    return str(uuid5(NAMESPACE_OID, name))


def _unwatched(done: int, total: int) -> None:
    """Follow no progress."""


@dataclass(frozen=True)
class Rewritten:
    """An effect that answers with what `rewrite` makes of the true answer."""

    rewrite: Callable[[Answer], Answer]

    async def happen(self, call: Call) -> None:
        """Answer."""
        await call.reply(self.rewrite(await call.true_answer()))


class Workspace:
    """Adds meetings of `DAY` to a sandbox, and runs the steps of a sync on them."""

    def __init__(self, sandbox: Sandbox, settings: Settings) -> None:
        self.sandbox = sandbox
        self.world = sandbox.world
        self.settings = settings
        self.archive = open_archive(settings)

    def meet(
        self,
        name: str,
        *contents: Content | None,
        expires_at: datetime | None = None,
        platform: str | None = "zoom",
        **of_artifact: Any,
    ) -> list[Artifact]:
        """Add a bot with one recording and an MP3 of each content; return the MP3s."""
        starts_at = NINE + timedelta(minutes=len(self.world.recordings))
        ends_at = starts_at + timedelta(seconds=_TALK_SECONDS)
        bot = SandboxBot(
            id=an_id(f"{name} bot"),
            name="Archive Bot",
            platform=platform,
            meeting_url={"meeting_id": name, "platform": platform, "meeting_password": "pass-of-nobody"},
            asked_url=None,
            join_at=starts_at,
            status_changes=(SandboxStatusChange("joining_call", starts_at), SandboxStatusChange("done", ends_at)),
            recording_config={"audio_mixed_mp3": {}},
        )
        recording = SandboxRecording(
            id=an_id(name),
            bot_id=bot.id,
            created_at=starts_at,
            started_at=starts_at,
            completed_at=ends_at,
            updated_at=ends_at,
            expires_at=expires_at,
        )
        artifacts = [
            replace(
                Artifact(an_id(f"{name} mp3 {place}"), recording.id, starts_at, ends_at, content),
                **of_artifact,
            )
            for place, content in enumerate(contents)
        ]
        self.world.add(bot, recording, *artifacts)
        return artifacts

    def capture(self, *, again: frozenset[str] = frozenset(), **changes: Any) -> DownloadReport:
        """Discover and capture the day, as the assets do; `changes` are settings."""
        settings = self.settings.model_copy(update=changes)
        return asyncio.run(self._capture(settings, again))

    def catalog(self, **changes: Any) -> Cataloged:
        """Catalog the day; `changes` are settings."""
        return catalog_day(self.archive, self.settings.model_copy(update=changes), DAY, _unwatched)

    def sync(self, **changes: Any) -> Cataloged:
        """Capture and catalog the day."""
        self.capture()
        return self.catalog(**changes)

    def row(self, audio_id: str) -> MixedAudioRow:
        """The row of an MP3 as it is on file."""
        return next(row for row in MIXED_AUDIO.read(self.archive, DAY) or [] if row.audio_id == audio_id)

    def content(self, key: str | None) -> bytes:
        """What is published under a key."""
        return stored(self.archive.location.root)[key or "nothing"]

    def keys(self, below: str) -> list[str]:
        """The keys of everything published below a folder."""
        return [key for key in stored_keys(self.archive.location.root) if key.startswith(f"{below}/")]

    def media_requests(self) -> list[str]:
        """The artifact ids that were asked of the media host, in order."""
        return [Path(access.path).stem for access in self.accesses(origin="media")]

    def object_requests(self) -> list[str]:
        """The paths that were asked of the API beside its lists."""
        return [access.path for access in self.accesses(origin="api", path=r"/[0-9a-f-]{36}/$")]

    def accesses(self, **of: Any) -> list[Access]:
        """What was asked so far; one more request makes sure that what came before has been written down."""
        httpx.get(f"{self.sandbox.api_url}/nothing/")
        return self.sandbox.access_log.only(**of)

    async def _capture(self, settings: Settings, again: frozenset[str]) -> DownloadReport:
        async with open_client(settings) as client:
            recordings, rows, artifacts = await self.found(client)
            wanted = DownloadPlan({row.recording_id: row.expires_at for row in recordings}, again)
            with self.archive.lock_day(DAY):
                captured = await download_day(client, self.archive, settings, DAY, rows, artifacts, wanted)
                MIXED_AUDIO.write(self.archive, DAY, captured.rows)
        return captured

    async def found(self, client: RecallClient) -> Any:
        """Return the day's recordings, its MP3 rows and the artifacts, as discovered now."""
        listing = await list_days(client, DAY, DAY)
        recordings = await discover_recordings(client, listing, self.archive, DAY)
        RECORDINGS.write(self.archive, DAY, recordings, {"listed_at": listing.listed_at.isoformat()})
        return (recordings, *await find_artifacts(client, listing, self.archive, DAY, recordings))
