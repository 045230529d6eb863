"""A day is archived from a server of another hand, in each of its dialects.

Few combinations are run here, because each sync starts a process that decodes; `FOREIGN_DIALECTS=each` runs each alone.
"""

import asyncio
import os
from collections.abc import Iterator
from datetime import date

import pytest
from pydantic import SecretStr

from recall_pipeline.catalog import CATALOG, sync_catalog
from recall_pipeline.discovery import BOTS, RECORDINGS, expired_bots, sync_bots, sync_recordings
from recall_pipeline.download import MIXED_AUDIO, sync_mp3s
from recall_pipeline.polling import ArchiveState
from recall_pipeline.recall_api import AnyListed, Upstream, list_days, open_client
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, open_archive, open_day
from recall_pipeline_tests.foreign_server.objects import MEETINGS, PARTICIPANT, PASSWORD, VIDEO_TOKEN, object_id
from recall_pipeline_tests.foreign_server.server import DIALECTS, ForeignServer
from recall_pipeline_tests.storages import stored

KEY = "key-of-a-foreign-workspace"
DAY = date(2026, 3, 2)
TOGETHER = frozenset(DIALECTS) - {"all_expired"}
EACH = [frozenset[str](), *(frozenset({name}) for name in sorted(TOGETHER))]
SOME = [{"flat", "null", "cleared"}, {"v1.10", "percent", "dead_links"}]
WITH_MEDIA = [*(EACH if os.environ.get("FOREIGN_DIALECTS") == "each" else SOME), TOGETHER]


class Syncs:
    """Syncs `DAY` of a server."""

    def __init__(self, server: ForeignServer, settings: Settings) -> None:
        self.server, self.settings = server, settings
        self.archive: Archive = open_archive(settings)

    def sync(self) -> None:
        """Sync the day, as the first three assets do."""
        asyncio.run(self._sync())

    def catalog(self) -> list[str]:
        """Catalog the day; return the outcomes."""
        with open_day(self.archive, DAY) as day:
            sync_catalog(day, self.settings)
        return [row.outcome for row in CATALOG.read(self.archive, DAY) or []]

    def changes(self) -> list[str]:
        """Return what the sensor would find in the lists."""

        async def listed() -> list[str]:
            async with open_client(self.settings) as client:
                listing = await list_days(client, DAY, DAY)
                objects: list[AnyListed] = [
                    *listing.bots.values(),
                    *listing.recordings.values(),
                    *listing.audio_mixed.values(),
                ]
                return [change.fact for change in ArchiveState(self.archive).changes_in(objects)]

        return asyncio.run(listed())

    def meetings(self) -> dict[str, tuple[str | None, str | None]]:
        """Return platform and meeting id by bot."""
        return {row.bot_id: (row.platform, row.meeting_id) for row in BOTS.read(self.archive, DAY) or []}

    def targets(self) -> list[str]:
        """Return the paths of the requests since the last call, without their queries."""
        targets = [each.target.partition("?")[0] for each in self.server.requests]
        self.server.requests.clear()
        return sorted(targets)

    async def _sync(self) -> None:
        async with open_client(self.settings) as client:
            upstream = Upstream(client, await list_days(client, DAY, DAY))
            with open_day(self.archive, DAY) as day:
                await sync_bots(day, upstream)
                await sync_recordings(day, upstream)
                await sync_mp3s(day, upstream, self.settings)


@pytest.fixture
def syncs(request: pytest.FixtureRequest, folder_url: str) -> Iterator[Syncs]:
    """A server in the dialects of the test, and an archive for it."""
    with ForeignServer(KEY, DAY, frozenset(request.param)).running() as server:
        rates = {"list_rpm": 10_000, "object_rpm": 10_000}
        yield Syncs(
            server,
            Settings(api_key=SecretStr(KEY), api_url=server.api_url, storage_url=folder_url, workers="1", **rates),
        )


@pytest.mark.parametrize("syncs", WITH_MEDIA, indirect=True, ids=lambda names: "+".join(sorted(names)) or "documented")
def test_every_mp3_is_archived_byte_for_byte_and_a_second_sync_is_quiet(syncs: Syncs) -> None:
    server, takes = syncs.server, syncs.server.objects.takes
    syncs.sync()
    files = stored(syncs.archive.location.root)
    folder = f"mixed_audio/day={DAY}"
    assert {key: content for key, content in files.items() if key.endswith(".mp3")} == {
        f"{folder}/{object_id('recording', *take)}/{object_id('audio', *take)}.mp3": server.mp3s[
            object_id("audio", *take)
        ]
        for take in takes
    }
    meetings = syncs.meetings()
    assert all(all(meeting) for meeting in meetings.values())
    assert server.keys_seen == {KEY}
    # A second sync walks the three lists and asks for nothing else, also after Recall has cleared the meeting URLs.
    lists = [target for target in syncs.targets() if target.endswith(("/bot/", "/recording/", "/audio_mixed/"))]
    server.clear()
    syncs.sync()
    assert syncs.targets() == lists
    assert (syncs.changes(), syncs.meetings()) == ([], meetings)
    if server.dialects >= TOGETHER:
        assert syncs.catalog() == ["ready"] * len(takes)
    # No name and no secret is in a file.
    secrets = (KEY, PARTICIPANT, PASSWORD, VIDEO_TOKEN, "ASIAEXAMPLE", "x-amz-security-token", *server.signatures)
    content = b"\n".join(stored(syncs.archive.location.root).values())
    assert [secret for secret in secrets if secret.encode() in content] == []


@pytest.mark.parametrize("syncs", [{"all_expired"}, DIALECTS], indirect=True, ids=["documented", "together"])
def test_bots_whose_media_expired_before_the_first_sync_are_counted(syncs: Syncs) -> None:
    syncs.server.clear()
    for _ in range(2):
        syncs.sync()
        assert len(expired_bots(RECORDINGS.facts(syncs.archive, DAY))) == MEETINGS
    assert (MIXED_AUDIO.read(syncs.archive, DAY), syncs.catalog()) == ([], [])
    assert syncs.changes() == []
