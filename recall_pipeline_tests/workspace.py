"""A workspace with a few recordings of one day on a sandbox, and the steps of a sync on them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import httpx
from pydantic import SecretStr

from recall_pipeline.catalog import CatalogReport, sync_catalog
from recall_pipeline.discovery import sync_recordings
from recall_pipeline.download import MIXED_AUDIO, DownloadReport, MixedAudioRow, sync_mp3s
from recall_pipeline.recall_api import RecallClient, Upstream, list_days, open_client
from recall_pipeline.restoration import restore_mp3s, restore_recordings
from recall_pipeline.settings import Settings
from recall_pipeline.storage import ArchiveDay, open_archive, open_day
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
    """A short MP3; each number gives other bytes."""
    return Speech(_TALK_SECONDS, title=f"talk {number}")


def an_id(name: str) -> str:
    """The same UUID for the same name."""
    return str(uuid5(NAMESPACE_OID, name))


def settings_for(sandbox: Sandbox, storage_url: str, **others: Any) -> Settings:
    """Settings for a sandbox without rate limits, and an archive at `storage_url`."""
    return Settings(
        api_key=SecretStr(sandbox.api_key),
        api_url=sandbox.api_url,
        storage_url=storage_url,
        list_rpm=100_000,
        object_rpm=100_000,
        **others,
    )


@dataclass(frozen=True)
class Rewritten:
    """An effect that changes the normal answer with `rewrite`."""

    rewrite: Callable[[Answer], Answer]

    async def apply(self, call: Call) -> None:
        """Send the rewritten answer."""
        await call.reply(self.rewrite(await call.normal_answer()))


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
            requested_url=None,
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
        """Discover and download the day, as the assets do; `changes` are settings."""
        settings = self.settings.model_copy(update=changes)
        return asyncio.run(self._capture(settings, again))

    def catalog(self, **changes: Any) -> CatalogReport:
        """Catalog the day; `changes` are settings."""
        with open_day(self.archive, DAY) as day:
            return sync_catalog(day, self.settings.model_copy(update=changes))

    def sync(self, **changes: Any) -> CatalogReport:
        """Capture and catalog the day."""
        self.capture()
        return self.catalog(**changes)

    def row(self, audio_id: str) -> MixedAudioRow:
        """The stored row of an MP3."""
        return next(row for row in MIXED_AUDIO.read(self.archive, DAY) or [] if row.audio_id == audio_id)

    def content(self, key: str | None) -> bytes:
        """The stored bytes of a key."""
        return stored(self.archive.location.root)[key or "nothing"]

    def keys(self, below: str) -> list[str]:
        """The keys of all stored files below a folder."""
        return [key for key in stored_keys(self.archive.location.root) if key.startswith(f"{below}/")]

    def media_requests(self) -> list[str]:
        """The artifact ids of the requests to the media host, in order."""
        return [Path(access.path).stem for access in self.accesses(origin="media")]

    def object_requests(self) -> list[str]:
        """The paths of the lookups, in order."""
        return [access.path for access in self.accesses(origin="api", path=r"/[0-9a-f-]{36}/$")]

    def accesses(self, **of: Any) -> list[Access]:
        """The requests so far; one more request makes sure that all earlier ones are logged."""
        httpx.get(f"{self.sandbox.api_url}/nothing/")
        return self.sandbox.access_log.only(**of)

    async def _capture(self, settings: Settings, again: frozenset[str]) -> DownloadReport:
        async with open_client(settings) as client:
            with open_day(self.archive, DAY) as day:
                restore_recordings(day, again)
                upstream = await self.discovered(day, client)
                restore_mp3s(day, again)
                return await sync_mp3s(day, upstream, settings, again)

    async def discovered(self, day: ArchiveDay, client: RecallClient) -> Upstream:
        """Sync the day's recordings; return what Recall.ai shows about the day."""
        upstream = Upstream(client, await list_days(client, DAY, DAY))
        await sync_recordings(day, upstream)
        return upstream
