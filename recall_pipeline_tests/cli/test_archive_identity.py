"""Commands refuse an archive of another API or of a newer format, and many recordings that vanish at once."""

import json
from datetime import time
from pathlib import Path

import pytest

from recall_pipeline import downstream
from recall_pipeline.cli.demo_folder import DemoFolder
from recall_pipeline.days import utc_now
from recall_pipeline.discovery import RECORDINGS
from recall_pipeline.downstream import RecallCatalog
from recall_pipeline.errors import ArchiveRefused
from recall_pipeline.settings import Settings, load_settings
from recall_pipeline.storage import Archive, open_archive
from recall_pipeline.webhooks import Event, EventStore
from recall_pipeline_tests.cli.conftest import TODAY, YESTERDAY, Run
from recall_pipeline_tests.storages import stored
from recall_sandbox import World
from recall_sandbox.meetings import RecordingSpec, SampleMeeting, rows_of

OF_YESTERDAY = ("--from", f"{YESTERDAY}", "--to", f"{YESTERDAY}")


def identity(archive: Archive, **values: object) -> None:
    with archive.staged_file() as staged:
        staged.write_text(json.dumps({"format": 1, "workspace": None, **values}))
        archive.publish(staged, "archive.json")


@pytest.mark.parametrize(
    "command", [("sync",), ("release", "--older-than-days", "1"), ("webhooks", "--port", "0")], ids=lambda c: c[0]
)
def test_what_talks_to_recall_refuses_the_archive_of_another_api(
    command: tuple[str, ...], sandboxed: Run, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECALL_WEBHOOK_SECRET", "whsec_c2FuZGJveC1zZWNyZXQtb2Ytbm9ib2R5")
    identity(archive, api="eu-central-1.recall.ai")
    before = stored(archive.location.root)
    result = sandboxed(*command)
    assert (result.status, result.out) == (2, "")
    assert "has recordings of eu-central-1.recall.ai, but the settings name 127.0.0.1" in result.error_line
    assert stored(archive.location.root) == before


@pytest.mark.parametrize(
    "command",
    [
        ("sync",),
        ("sync", "--dry-run"),
        ("verify",),
        ("verify", "--repair"),
        ("catalog",),
        ("export", "--to", "csv", "--out", "out"),
        ("forget", "--recording", "c1a5c4be-0d4a-4b55-8f6e-1a2b3c4d5e6f", "--reason", "request", "--yes"),
        ("release", "--older-than-days", "1"),
        ("migrate",),
        ("migrate", "--dry-run"),
        ("migrate", "--accept-api", "127.0.0.1"),
        ("webhooks", "--port", "0"),
        ("doctor",),
    ],
    ids=" ".join,
)
def test_whatever_opens_the_archive_refuses_a_newer_format_and_writes_nothing(
    command: tuple[str, ...], sandboxed: Run, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECALL_WEBHOOK_SECRET", "whsec_c2FuZGJveC1zZWNyZXQtb2Ytbm9ib2R5")
    identity(archive, format=999, api="127.0.0.1")
    before = stored(archive.location.root)
    result = sandboxed(*command)
    assert (result.status, "archive.json has format 999" in result.err + result.out) == (2, True)
    assert stored(archive.location.root) == before


@pytest.mark.parametrize("command", ["demo", "ui"])
def test_a_demo_of_a_newer_format_is_refused_and_kept(command: str, run: Run, tmp_path: Path) -> None:
    DemoFolder(tmp_path / "demo").create(YESTERDAY)
    identity(open_archive(Settings(storage_url=str(tmp_path / "demo" / "data"))), format=999)
    before = stored(str(tmp_path / "demo"))
    result = run(command, "--folder", str(tmp_path / "demo"))
    assert (result.status, "archive.json has format 999" in result.error_line) == (2, True)
    assert stored(str(tmp_path / "demo")) == before


def test_readers_of_other_code_locations_refuse_a_newer_format(run: Run, archive: Archive) -> None:
    identity(archive, format=999)
    for read in (RecallCatalog().read, RecallCatalog().recordings, lambda: downstream.open_archive(load_settings())):
        with pytest.raises(ArchiveRefused, match="has format 999"):
            read()


def test_a_reader_accepts_the_archive_of_any_api_and_writes_nothing(sandboxed: Run, archive: Archive) -> None:
    identity(archive, api="eu-central-1.recall.ai")
    before = stored(archive.location.root)
    assert sandboxed("catalog").status == 0
    assert stored(archive.location.root) == before


def test_migrate_accepts_another_api(sandboxed: Run, archive: Archive) -> None:
    identity(archive, api="eu-central-1.recall.ai", created_by="somebody")
    assert sandboxed("migrate", "--accept-api", "127.0.0.1:8100").status == 0
    assert json.loads(archive.read("archive.json") or b"")["created_by"] == "somebody"
    assert sandboxed("sync", *OF_YESTERDAY).status == 0


def test_migrate_refuses_what_is_not_a_host(sandboxed: Run) -> None:
    assert sandboxed("migrate", "--accept-api", "not a host").status == 2


def test_a_wrong_key_does_not_make_the_archive_that_of_its_api(
    sandboxed: Run, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECALL_API_KEY", "wrong")
    assert sandboxed("sync", *OF_YESTERDAY).status == 1
    assert archive.read("archive.json") is None


class TestVanished:
    COUNT = 10

    @pytest.fixture
    def world(self) -> World:
        world = World()
        for number in range(self.COUNT + 1):
            spec = RecordingSpec(60, retention_hours=240)
            world.add(*rows_of(SampleMeeting(f"m{number}", "", 1, time(9, number), (), (spec,)), TODAY))
        return world

    @pytest.fixture(autouse=True)
    def synced(self, sandboxed: Run) -> None:
        assert sandboxed("sync", *OF_YESTERDAY).status == 0

    def vanish(self, world: World, count: int) -> list[str]:
        ids = [row.id for row in world.recordings][:count]
        for recording_id in ids:
            world.delete_recording(recording_id, "gone")
        return ids

    def gone(self, archive: Archive) -> int:
        return sum(row.is_gone for row in RECORDINGS.read(archive, YESTERDAY) or [])

    def test_ten_that_vanish_at_once_stop_the_day_until_they_are_accepted(
        self, sandboxed: Run, world: World, archive: Archive
    ) -> None:
        self.vanish(world, self.COUNT)
        before = stored(archive.location.root)
        result = sandboxed("sync", *OF_YESTERDAY)
        assert result.status == 1
        assert "10 known recordings" in result.err
        assert "--accept-vanished" in result.err
        assert stored(archive.location.root) == before
        assert sandboxed("sync", *OF_YESTERDAY, "--accept-vanished").status == 0
        assert self.gone(archive) == self.COUNT
        assert sandboxed("sync", *OF_YESTERDAY).status == 0

    def test_nothing_of_the_day_is_written_although_its_bots_are_shown_with_changes(
        self, sandboxed: Run, world: World, archive: Archive
    ) -> None:
        self.vanish(world, self.COUNT)
        world.change_bot(next(iter(world.bots)).id, name="renamed")
        before = stored(archive.location.root)
        assert sandboxed("sync", *OF_YESTERDAY).status == 1
        assert stored(archive.location.root) == before

    def test_recordings_of_another_workspace_are_not_stored(
        self, sandboxed: Run, world: World, archive: Archive
    ) -> None:
        self.vanish(world, self.COUNT + 1)
        for bot in list(world.bots):
            world.change_bot(bot.id, join_at=None)  # so that no list shows it
        world.add(*rows_of(SampleMeeting("stranger", "", 1, time(15), (), (RecordingSpec(60),)), TODAY))
        before = stored(archive.location.root)
        assert sandboxed("sync", *OF_YESTERDAY).status == 1
        assert stored(archive.location.root) == before

    def test_nine_are_marked_as_deleted(self, sandboxed: Run, world: World, archive: Archive) -> None:
        self.vanish(world, self.COUNT - 1)
        assert sandboxed("sync", *OF_YESTERDAY).status == 0
        assert self.gone(archive) == self.COUNT - 1

    def test_deletion_events_explain_it(self, sandboxed: Run, world: World, archive: Archive) -> None:
        store = EventStore(archive)
        for recording_id in self.vanish(world, self.COUNT):
            store.store(Event(f"msg_{recording_id}", "recording.deleted", utc_now(), recording_id=recording_id))
        pending = store.pending()
        store.mark_consumed(pending[:5], TODAY)
        assert sandboxed("sync", *OF_YESTERDAY).status == 0
        assert self.gone(archive) == self.COUNT

    def test_expired_media_explain_it(self, sandboxed: Run, world: World, archive: Archive) -> None:
        for bot in world.bots:
            expired = type(bot.status_changes[0])("media_expired", utc_now())
            world.change_bot(bot.id, status_changes=(*bot.status_changes, expired))
        self.vanish(world, self.COUNT)
        assert sandboxed("sync", *OF_YESTERDAY).status == 0
        assert self.gone(archive) == self.COUNT

    def test_a_list_that_shows_them_again_ends_it(self, sandboxed: Run, world: World, archive: Archive) -> None:
        ids = self.vanish(world, self.COUNT)
        assert sandboxed("sync", *OF_YESTERDAY).status == 1
        for recording_id in ids:
            world.change_recording(recording_id, status="done", gone=False, listed=True, embedded=True)
        assert sandboxed("sync", *OF_YESTERDAY).status == 0
        assert self.gone(archive) == 0
