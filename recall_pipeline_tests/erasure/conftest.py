"""A day with four meetings, synced once; each test gets a copy of its archive, in a folder or on S3."""

import asyncio
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import stamina

from recall_pipeline.audit import AUDIT
from recall_pipeline.catalog import CATALOG, WAVEFORMS
from recall_pipeline.discovery import BOTS, RECORDINGS, sync_bots
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.recall_api import AnyListed, Upstream, open_client
from recall_pipeline.recall_api.day_listing import list_days
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, open_day
from recall_pipeline_tests.storages import stored
from recall_pipeline_tests.workspace import DAY, Workspace, an_id, settings_for
from recall_sandbox import Sandbox, World
from recall_sandbox.speech import Speech

TABLES: tuple[Any, ...] = (BOTS, RECORDINGS, MIXED_AUDIO, CATALOG, WAVEFORMS)
CONTOSO, NORTHWIND, SILENT_ONE, FABRIKAM = map(an_id, ("contoso", "northwind", "no audio", "fabrikam"))


class Office(Workspace):
    """A workspace that also writes the table `bots`."""

    def sync_all(self, again: frozenset[str] = frozenset()) -> None:
        """Sync the day, as the four assets do."""
        asyncio.run(self._bots())
        self.capture(again=again)
        self.catalog()

    async def listed(self) -> list[AnyListed]:
        """All objects in the listing of the day."""
        async with open_client(self.settings) as client:
            listing = await list_days(client, DAY, DAY)
        return [*listing.bots.values(), *listing.recordings.values(), *listing.audio_mixed.values()]

    async def _bots(self) -> None:
        async with open_client(self.settings) as client:
            upstream = Upstream(client, await list_days(client, DAY, DAY))
            with open_day(self.archive, DAY) as day:
                await sync_bots(day, upstream)


@dataclass(frozen=True)
class Traces:
    """Searches all stored bytes, and the rows of all tables, for words."""

    archive: Archive

    def of(self, *words: str) -> set[str]:
        """Return the top-level folders that contain one of the words."""
        found = {
            key.partition("/")[0]
            for key, content in stored(self.archive.location.root).items()
            if any(word in key or word.encode() in content for word in words)
        }
        for table in (*TABLES, AUDIT):
            rows = [repr(row) for day in self.archive.days(table.name) for row in table.read(self.archive, day)]
            found |= {table.name for row in rows if any(word in row for word in words)}
        return found


def add_personal_data(world: World, name: str, **metadata: str) -> None:
    """Add personal data to the bot and the recording of a meeting."""
    world.change_bot(an_id(f"{name} bot"), name=f"Notetaker of {name}", metadata=metadata, unknown_fields={"who": name})
    world.change_recording(an_id(name), metadata=metadata, unknown_fields={"host": f"host of {name}"})


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Four synced meetings; one has two MP3s, one has none."""
    data, home = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("home")
    unlimited: dict[str, Any] = {"list_per_minute": None, "object_per_minute": None}
    with (
        pytest.MonkeyPatch.context() as patched,
        stamina.set_testing(True, attempts=5),
        Sandbox(World(), **unlimited).running() as sandbox,
    ):
        patched.setenv("DAGSTER_HOME", str(home))
        settings = settings_for(sandbox, str(data), workers="1")
        office = Office(sandbox, settings)
        office.meet("contoso", Speech(3), Speech(4))
        office.meet("northwind", Speech(5))
        office.meet("no audio", platform="webex")
        office.meet("fabrikam", Speech(6))
        for name in ("contoso", "northwind", "no audio", "fabrikam"):
            add_personal_data(office.world, name, customer=f"{name} corporation")
        office.sync_all()
        yield office


@pytest.fixture
def office_at(synced: Office) -> Callable[[str], Office]:
    """Return a function that copies the synced archive to a URL."""

    def copied(url: str) -> Office:
        office = Office(synced.sandbox, Settings(**{**synced.settings.model_dump(), "storage_url": url}))
        source = Path(synced.archive.location.root)
        for path in sorted(path for path in source.rglob("*") if path.is_file()):
            with office.archive.staged_file() as copy:
                shutil.copyfile(path, copy)
                office.archive.publish(copy, str(path.relative_to(source)))
        return office

    return copied


@pytest.fixture
def office(office_at: Callable[[str], Office], folder_url: str) -> Office:
    """A copy of the synced archive in a folder."""
    return office_at(folder_url)


def state(archive: Archive) -> dict[str, Any]:
    """The content of an archive, without timestamps and without the location of the archive."""
    files = {
        key: len(content) for key, content in stored(archive.location.root).items() if not key.endswith(".parquet")
    }
    rows = {table.name: [_plain(repr(row)) for row in table.read(archive, DAY)] for table in (*TABLES, AUDIT)}
    return {"files": {key: size for key, size in files.items() if not key.startswith("_spool")}, **rows}


def _plain(row: str) -> str:
    relative = re.sub(r"[a-z0-9]+://[^']*/(mixed_audio|normalized_audio)/", r"\1/", row)
    return re.sub(r"datetime\.datetime\([^)]*\)", "a timestamp", relative)


def removed(row: Any) -> list[dict[str, Any]]:
    """The files in an audit row."""
    found: list[dict[str, Any]] = json.loads(row.removed)
    return found
