"""An erased recording is removed from files and tables, is not downloaded again, and has an audit row."""

import asyncio
import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from recall_pipeline.audit import AUDIT, AuditRow
from recall_pipeline.catalog import CATALOG
from recall_pipeline.days import ONE_DAY
from recall_pipeline.discovery import BOTS, RECORDINGS
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.download.partials import Partial
from recall_pipeline.erasure import erase_day, plan_for_request
from recall_pipeline.errors import StorageError
from recall_pipeline.polling.change_detection import ArchiveState
from recall_pipeline.recall_api import list_days, open_client
from recall_pipeline.recall_api.listing_spool import ListingSpool, spool_file
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, Layout
from recall_pipeline.verification import verify_days
from recall_pipeline_tests.erasure.conftest import (
    CONTOSO,
    FABRIKAM,
    NORTHWIND,
    SILENT_ONE,
    TABLES,
    Office,
    Traces,
    removed,
    state,
)
from recall_pipeline_tests.storages import FOLDER_AND_BUCKET, stored
from recall_pipeline_tests.workspace import DAY, an_id, talk

REASON = "request of 2026-11-20"
PERSONAL = ("Notetaker of contoso", "contoso corporation", "host of contoso", "'meeting_id': 'contoso'", "'contoso'")


def forget(archive: Archive, recording_id: str = CONTOSO) -> list[AuditRow]:
    ids = plan_for_request(archive, recording_id=recording_id).days[DAY]
    return erase_day(archive, DAY, ids, REASON)


def hashes(archive: Archive, recording_id: str) -> set[str]:
    contents = stored(archive.location.root).items()
    return {hashlib.sha256(content).hexdigest() for key, content in contents if recording_id in key}


@pytest.mark.parametrize("kind", FOLDER_AND_BUCKET)
def test_only_the_audit_row_is_left(
    kind: str, office_at: Callable[[str], Office], request: pytest.FixtureRequest
) -> None:
    archive = office_at(request.getfixturevalue(kind)).archive
    erased = hashes(archive, CONTOSO)
    assert len(erased) == 4  # two MP3s, two normalized files
    assert Traces(archive).of(*PERSONAL) == {"bots", "recordings", "mixed_audio", "audio_catalog"} - {"mixed_audio"}
    forget(archive)
    assert Traces(archive).of(*PERSONAL) == set()
    assert Traces(archive).of(*erased) == {"audit"}
    assert [key for key in stored(archive.location.root) if CONTOSO in key] == []


def test_listings_of_killed_processes_are_removed(office: Office) -> None:
    folder = office.archive.open_staging_folder()

    async def walk() -> None:
        async with open_client(office.settings) as client:
            spool = ListingSpool(spool_file(folder, DAY, DAY), client.workspace)
            await list_days(client, DAY, DAY, spool)
            spool._connection.close()  # a killed process leaves its file

    asyncio.run(walk())
    journal = folder / f"listing-{DAY}-{DAY + ONE_DAY}.sqlite-journal"
    journal.write_bytes(b"of a file whose removal was interrupted")
    assert len(list(folder.glob("listing-*"))) == 2
    forget(office.archive)
    assert list(folder.glob("listing-*")) == []


def test_other_recordings_are_unchanged(office: Office) -> None:
    def others() -> list[object]:
        return [
            row
            for table in TABLES
            for row in table.read(office.archive, DAY)
            if CONTOSO not in repr(row) and an_id("contoso bot") not in repr(row)
        ]

    before, files = others(), stored(office.archive.location.root)
    forget(office.archive)
    assert others() == before
    after = stored(office.archive.location.root)
    kept = {key: content for key, content in files.items() if CONTOSO not in key and not key.endswith(".parquet")}
    assert {key: after.get(key) for key in kept} == kept


def test_the_audit_row_has_ids_times_reason_and_files(office: Office) -> None:
    sizes = {key: len(content) for key, content in stored(office.archive.location.root).items() if CONTOSO in key}
    erased = hashes(office.archive, CONTOSO)
    forget(office.archive)
    of_recording, of_bot = AUDIT.read(office.archive, DAY) or []
    assert (of_recording.action, of_recording.recording_id, of_recording.reason) == ("forgotten", CONTOSO, REASON)
    assert of_recording.finished_at
    assert of_recording.finished_at >= of_recording.began_at
    assert (of_recording.files, of_recording.bytes) == (4, sum(sizes.values()))
    assert {file["key"]: file["bytes"] for file in removed(of_recording)} == sizes
    assert {file["sha256"] for file in removed(of_recording)} == erased
    assert (of_bot.recording_id, of_bot.bot_id, of_bot.files) == (None, an_id("contoso bot"), 0)


def test_the_row_of_each_mp3_keeps_only_ids_times_and_the_outcome_forgotten(office: Office) -> None:
    forget(office.archive)
    rows = [row for row in CATALOG.read(office.archive, DAY) or [] if row.recording_id == CONTOSO]
    assert [row.outcome for row in rows] == ["forgotten"] * 2
    kept = {name for row in rows for name in row.__slots__ if getattr(row, name) is not None}
    assert kept == {"recording_id", "audio_id", "bot_id", "outcome", "created_at", "cataloged_at", "findings"}
    assert [row.findings for row in rows] == [[], []]


def test_older_versions_orphans_and_partial_files_are_removed_too(office: Office) -> None:
    archive, audio_id = office.archive, an_id("contoso mp3 0")
    for key in (
        Layout.source(DAY, CONTOSO, audio_id, "0123abcd"),
        Layout.normalized(DAY, CONTOSO, audio_id, "mp3"),
        Layout.normalized(DAY, CONTOSO, audio_id, "flac", "0123abcd"),
    ):
        with archive.staged_file() as written:
            written.write_bytes(b"an older sound")
            archive.publish(written, key)
    partial = Partial.of(archive.open_staging_folder(), audio_id)
    partial.start('"an etag"')
    row, *_ = forget(archive)
    assert row.files == 7
    assert hashlib.sha256(b"an older sound").hexdigest() in {file["sha256"] for file in removed(row)}
    assert not [key for key in stored(archive.location.root) if CONTOSO in key or audio_id in key]


def test_no_sync_downloads_it_again_not_even_on_request(office: Office) -> None:
    forget(office.archive)
    before, requests = state(office.archive), len(office.media_requests())
    office.sync_all()
    office.sync_all(again=frozenset({CONTOSO}))
    assert state(office.archive) == before
    assert len(office.media_requests()) == requests


def test_no_sync_downloads_it_again_after_all_tables_were_lost(office: Office) -> None:
    forget(office.archive)
    for table in TABLES:
        office.archive.remove(Layout.table(table.name, DAY))
    office.sync_all()
    assert Traces(office.archive).of(*PERSONAL) == set()
    assert not [key for key in stored(office.archive.location.root) if CONTOSO in key]
    outcomes = {row.recording_id: row.outcome for row in CATALOG.read(office.archive, DAY) or []}
    assert outcomes == {CONTOSO: "forgotten", NORTHWIND: "ready", FABRIKAM: "ready", SILENT_ONE: "unsupported_platform"}


def test_a_new_version_of_its_mp3_is_not_downloaded(office: Office) -> None:
    forget(office.archive, FABRIKAM)
    requests = len(office.media_requests())
    before = office.world.artifacts.get(an_id("fabrikam mp3 0"))
    assert before is not None
    office.world.replace_audio(before.id, talk(9))
    try:
        office.sync_all()
    finally:
        office.world.change_artifact(before.id, content=before.content, updated_at=before.updated_at)
    assert len(office.media_requests()) == requests
    assert not [key for key in stored(office.archive.location.root) if FABRIKAM in key]


def test_it_is_not_a_change_for_the_sensor(office: Office) -> None:
    forget(office.archive)
    listed = asyncio.run(office.listed())
    assert CONTOSO in {record.id for record in listed}
    assert list(ArchiveState(office.archive).changes_in(listed)) == []


def test_the_archive_still_verifies(office: Office) -> None:
    forget(office.archive)
    office.sync_all()
    report = verify_days(office.archive, office.settings, [DAY], lambda *_: None)
    assert (report.problems, report.files) == ([], 4)


def test_a_second_erasure_changes_no_bytes(office: Office) -> None:
    ids = plan_for_request(office.archive, recording_id=CONTOSO).days[DAY]
    erase_day(office.archive, DAY, ids, REASON)
    before = stored(office.archive.location.root)
    erase_day(office.archive, DAY, ids, REASON)
    assert stored(office.archive.location.root) == before


def test_a_bot_is_erased_with_its_last_recording(office: Office) -> None:
    bot_id = an_id("northwind bot")
    rows = RECORDINGS.read(office.archive, DAY) or []
    shared = [dataclasses.replace(row, bot_id=bot_id) if row.recording_id == FABRIKAM else row for row in rows]
    RECORDINGS.write(office.archive, DAY, shared)
    forget(office.archive, NORTHWIND)
    assert "Notetaker of northwind" in {row.bot_name for row in BOTS.read(office.archive, DAY) or []}
    forget(office.archive, FABRIKAM)
    assert "Notetaker of northwind" not in {row.bot_name for row in BOTS.read(office.archive, DAY) or []}


def test_erasing_a_bot_erases_all_its_recordings(office: Office) -> None:
    erase_day(office.archive, DAY, plan_for_request(office.archive, bot_id=an_id("contoso bot")).days[DAY], REASON)
    assert Traces(office.archive).of(*PERSONAL) == set()


class Killed(BaseException):
    """Simulates kill -9: no handler catches it."""


def test_after_a_kill_at_any_step_no_sync_downloads_it_and_a_second_erasure_gives_the_same_state(
    office_at: Callable[[str], Office], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = office_at(str(tmp_path / "whole")).archive
    steps = _steps(whole, monkeypatch, None)
    expected = state(whole)
    assert steps == 11  # two audit files, two folders, five tables, two audit files
    for step in range(steps):
        office = office_at(str(tmp_path / f"killed at {step}"))
        with pytest.raises(Killed):
            _steps(office.archive, monkeypatch, step)
        if step:  # a kill before the audit row leaves nothing of the erasure
            requests = len(office.media_requests())
            office.sync_all()
            assert len(office.media_requests()) == requests
            assert Traces(office.archive).of("contoso corporation") == set()
        forget(office.archive)
        assert state(office.archive) == expected, f"killed at step {step}"


def _steps(archive: Archive, monkeypatch: pytest.MonkeyPatch, killed_at: int | None) -> int:
    """Erase, and return how many steps changed the storage; or be killed before one of them."""
    steps = 0
    with monkeypatch.context() as patched:

        def counted(name: str) -> None:
            step = getattr(Archive, name)

            def counting(*arguments: object) -> object:
                nonlocal steps
                if steps == killed_at:
                    raise Killed
                steps += 1
                return step(*arguments)

            patched.setattr(Archive, name, counting)

        counted("publish")
        counted("remove_below")
        forget(archive)
    return steps


def test_an_unreadable_table_stops_it_before_anything_is_removed(office: Office) -> None:
    table = office.archive.local_path(Layout.table(MIXED_AUDIO.name, DAY))
    ids = plan_for_request(office.archive, recording_id=CONTOSO).days[DAY]
    table.write_bytes(b"damaged")
    before = stored(office.archive.location.root)
    with pytest.raises(StorageError, match="is not a readable Parquet file"):
        erase_day(office.archive, DAY, ids, REASON)
    assert stored(office.archive.location.root) == before


def test_an_unreadable_audit_stops_every_sync_of_its_day(office: Office) -> None:
    forget(office.archive)
    office.archive.local_path(Layout.table("audit", DAY)).write_bytes(b"damaged")
    with pytest.raises(StorageError, match=r"audit/day=.* is not a readable Parquet file"):
        office.sync_all()


def test_changed_settings_do_not_restore_an_erased_recording(office: Office) -> None:
    forget(office.archive)
    office.settings = Settings(**{**office.settings.model_dump(), "audio_format": "wav"})
    office.sync_all()
    assert not [key for key in stored(office.archive.location.root) if CONTOSO in key]
