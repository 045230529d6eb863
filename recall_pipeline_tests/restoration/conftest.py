"""A day at Recall.ai that loses its media, and two backups of its archive: an early one and one of now."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import stamina

from recall_pipeline.catalog import CATALOG, CatalogRow, sync_catalog
from recall_pipeline.discovery import sync_bots
from recall_pipeline.erasure import forget, plan_for_request
from recall_pipeline.recall_api import Upstream, list_days, open_client
from recall_pipeline.storage import Layout, open_day
from recall_pipeline.storage.layout import TableName
from recall_pipeline.verification import (
    VerificationReport,
    absent,
    days_to_sync_again,
    remove_redundant_files,
    verify_days,
)
from recall_pipeline_tests.chaos.simulation.deployment import quick_runs
from recall_pipeline_tests.workspace import DAY, NINE, Workspace, an_id, settings_for, talk
from recall_sandbox import Sandbox, World
from recall_sandbox.content import ErrorPage

TABLES: tuple[TableName, ...] = ("bots", "recordings", "mixed_audio", "audio_catalog")
GONE = ("early", "late", "replaced", "bad", "two", "failed")


class Loss(Workspace):
    """A copy of the archive, whose tables are lost or restored from the early backup."""

    early: Path

    @property
    def folder(self) -> Path:
        """The archive."""
        return Path(self.archive.location.root)

    def lose(self, *tables: TableName) -> None:
        """Remove tables of the day."""
        for table in tables:
            self.archive.remove(Layout.table(table, DAY))

    def restore(self, *tables: TableName) -> None:
        """Put tables of the early backup in place of those of now."""
        for table in tables:
            shutil.copy(self.early / Layout.table(table, DAY), self.folder / Layout.table(table, DAY))

    def sync_all(self, again: frozenset[str] = frozenset()) -> None:
        """Sync the day, as the four assets do."""
        asyncio.run(self._bots())
        self.capture(again=again)
        with open_day(self.archive, DAY) as day:
            sync_catalog(day, self.settings, refetch=again)

    def problems(self) -> list[str]:
        """What `verify` finds in the day."""
        return [problem.line for problem in [*absent(self.archive, [DAY]), *self._verified().problems]]

    def repair(self) -> None:
        """Do what `verify --repair` does."""
        found = self._verified()
        remove_redundant_files(self.archive, found)
        self.sync_all(again=days_to_sync_again(found)[1])
        remove_redundant_files(self.archive, self._verified())

    def rows(self) -> dict[str, CatalogRow]:
        """The rows of the catalog by key."""
        return {row.key: row for row in CATALOG.read(self.archive, DAY) or []}

    def _verified(self) -> VerificationReport:
        return verify_days(self.archive, self.settings, [DAY], lambda *_: None)

    async def _bots(self) -> None:
        async with open_client(self.settings) as client:
            upstream = Upstream(client, await list_days(client, DAY, DAY))
            with open_day(self.archive, DAY) as day:
                await sync_bots(day, upstream)


def remove_media(world: World, *names: str) -> None:
    """Remove recordings and their MP3s at Recall.ai, as it does when they expire."""
    ids = {an_id(name) for name in names}
    for artifact in [each for each in list(world.artifacts) if each.recording_id in ids]:
        world.delete_artifact(artifact.id, "gone")
    for recording_id in ids:
        world.delete_recording(recording_id, "gone")


@dataclass(frozen=True)
class Backups:
    """The sandbox after the media are gone, and the folders with the archive of then and of now."""

    sandbox: Sandbox
    early: Path
    late: Path


@pytest.fixture(scope="package")
def backups(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backups]:
    """An archive of nine recordings: synced twice, then one was erased, Recall.ai removed six, and it was synced."""
    early, late = (tmp_path_factory.mktemp(name) for name in ("early", "late"))
    with (
        pytest.MonkeyPatch.context() as patched,
        quick_runs(),
        stamina.set_testing(True, attempts=5),
        Sandbox(World(), list_per_minute=None, object_per_minute=None).running() as sandbox,
    ):
        patched.setenv("DAGSTER_HOME", str(tmp_path_factory.mktemp("home")))
        work = Loss(sandbox, settings_for(sandbox, str(late), workers="1"))
        expires_at = NINE + timedelta(days=7)
        work.meet("early", talk(1))
        [replaced] = work.meet("replaced", talk(2), expires_at=expires_at)
        work.meet("two", talk(3), talk(4), expires_at=expires_at)
        work.meet("failed", None, status="failed")
        work.meet("kept", talk(5))
        work.meet("none")
        work.meet("erased", talk(6))
        work.sync_all()
        shutil.copytree(late, early, dirs_exist_ok=True)
        sandbox.world.replace_audio(replaced.id, talk(7))
        work.meet("late", talk(8))
        work.meet("bad", ErrorPage())
        work.sync_all()
        forget(
            work.archive,
            plan_for_request(work.archive, recording_id=an_id("erased")),
            "asked to",
            lambda *_: None,
        )
        remove_media(sandbox.world, *GONE)
        work.sync_all()
        assert work.problems() == []
        yield Backups(sandbox, early, late)


@pytest.fixture
def loss(backups: Backups, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loss:
    """A copy of the archive of now."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    shutil.copytree(backups.late, tmp_path / "data")
    copy = Loss(backups.sandbox, settings_for(backups.sandbox, str(tmp_path / "data"), workers="1"))
    copy.early = backups.early
    return copy
