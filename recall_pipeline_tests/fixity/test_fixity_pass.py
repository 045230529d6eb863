"""A pass reads back what is stored, and keeps a row for each file, whatever happens meanwhile."""

import dataclasses
import errno
import hashlib
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

import pyarrow.parquet as pq
import pytest

from recall_pipeline.catalog import CATALOG
from recall_pipeline.days import ONE_DAY
from recall_pipeline.discovery import BOTS
from recall_pipeline.erasure import forget, plan_for_request
from recall_pipeline.errors import StorageError, TableNewer, TableUnreadable
from recall_pipeline.fixity import (
    FIXITY,
    FIXITY_KEY,
    FixityRow,
    PassReport,
    ReadingCycle,
    read_fixity,
    read_state,
    remove_fixity_rows,
    run_pass,
)
from recall_pipeline.progress import no_progress
from recall_pipeline.storage import Archive, Layout
from recall_pipeline.storage.folder_store import FolderStore
from recall_pipeline_tests.fixity.stored_days import DAY, FILES_A_DAY, audio_key, put, recording_id, source_key, store
from recall_pipeline_tests.storages import FOLDER_AND_BUCKET
from recall_pipeline_tests.storages import stored as content_of
from recall_pipeline_tests.workspace import an_id

NOW = datetime(2026, 3, 10, 5, tzinfo=UTC)
ALL = ReadingCycle(1)  # everything at each pass
SLOW = ReadingCycle(90)
IN_A_BUCKET_TOO = pytest.mark.parametrize("storage_url", FOLDER_AND_BUCKET, indirect=True)


def read_all(archive: Archive, now: datetime = NOW, cycle: ReadingCycle = ALL) -> PassReport:
    return run_pass(archive, cycle, clock=lambda: now)


def results(archive: Archive) -> dict[str, str | None]:
    """What the table states of each file that is not right."""
    return {key: row.result for key, row in read_fixity(archive).items() if row.result != "ok"}


def raw(archive: Archive, key: str) -> bytes:
    content = archive.read(key)
    assert content is not None
    return content


@IN_A_BUCKET_TOO
def test_every_stored_file_is_read_once_and_has_a_row(stored: Archive) -> None:
    report = read_all(stored)
    contents = content_of(stored.location.root)
    del contents[FIXITY_KEY]
    rows = read_fixity(stored)
    assert {key: row.sha256 for key, row in rows.items()} == {
        key: hashlib.sha256(content).hexdigest() for key, content in contents.items()
    }
    assert report.bytes_read == report.size_bytes == sum(map(len, contents.values()))
    assert {(row.result, row.checked_at) for row in rows.values()} == {("ok", NOW)}
    assert rows[source_key(DAY)].kind == "original"
    assert rows[audio_key(DAY)].recording_id == recording_id(DAY)
    assert rows[BOTS.key(DAY)].kind == "table"


def test_a_pass_reads_its_share_and_knows_the_rest(stored: Archive) -> None:
    report = read_all(stored, cycle=SLOW)
    assert 0 < report.checked < report.files == 2 * FILES_A_DAY
    assert sum(row.checked_at is None for row in read_fixity(stored).values()) == report.files - report.checked


def test_the_files_that_a_pass_did_not_reach_are_the_first_of_the_next(stored: Archive) -> None:
    first = read_all(stored, cycle=SLOW).checked
    before = read_fixity(stored)
    read_all(stored, NOW + ONE_DAY, cycle=SLOW)
    again = [key for key, row in read_fixity(stored).items() if before[key].checked_at and row != before[key]]
    assert (first, again) == (first, [])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda content: content[:-1] + b"!", "file_changed"),
        (lambda content: content[:-1], "file_size_differs"),
        (lambda content: content + b"!", "file_size_differs"),
        (lambda _: b"", "file_empty"),
        (None, "file_missing"),
    ],
)
@pytest.mark.parametrize("key", [source_key(DAY), audio_key(DAY)], ids=["original", "normalized"])
def test_damage_of_an_audio_file_is_found(
    stored: Archive, change: Callable[[bytes], bytes] | None, code: str, key: str
) -> None:
    read_all(stored)
    content = raw(stored, key)
    if change is None:
        stored.remove(key)
    else:
        put(stored, key, change(content))
    report = read_all(stored, NOW + ONE_DAY)
    assert [(row.key, row.result) for row in report.damaged] == [(key, code)]
    assert results(stored) == {key: code}
    assert read_state(stored, ALL, NOW).damaged[DAY][0].recording_id == recording_id(DAY)
    put(stored, key, content)
    read_all(stored, NOW + 2 * ONE_DAY)
    assert results(stored) == {}


def test_a_flipped_bit_among_the_values_of_a_table_is_found(stored: Archive) -> None:
    key = CATALOG.key(DAY)
    whole, pages = raw(stored, key), pq.read_metadata(io.BytesIO(raw(stored, key))).row_group(0)
    for number in range(pages.num_columns):
        column = pages.column(number)
        content = bytearray(whole)
        content[column.dictionary_page_offset or column.data_page_offset + column.total_compressed_size - 1] ^= 1
        put(stored, key, bytes(content))
        with pytest.raises(TableUnreadable):
            CATALOG.read(stored, DAY)
    assert [(row.key, row.result) for row in read_all(stored).damaged] == [(key, "table_unreadable")]


@pytest.mark.parametrize("change", [lambda content: content[: len(content) // 2], lambda _: b""])
def test_a_table_that_is_cut_is_found(stored: Archive, change: Callable[[bytes], bytes]) -> None:
    key = BOTS.key(DAY)
    put(stored, key, change(raw(stored, key)))
    assert results(stored) == {} == read_fixity(stored)
    read_all(stored)
    assert set(results(stored)) == {key}


def test_a_file_of_a_wrong_size_is_found_by_a_pass_whose_share_it_is_not_in(stored: Archive) -> None:
    read_all(stored)
    stored.remove(audio_key(DAY))
    assert [row.result for row in read_all(stored, NOW + ONE_DAY, SLOW).damaged] == ["file_missing"]


def test_an_older_version_is_compared_with_the_hash_in_its_name(stored: Archive) -> None:
    audio_id, old = an_id(f"audio of {DAY}"), b"an older version"
    prefix = hashlib.sha256(old).hexdigest()[:8]
    right = Layout.source(DAY, recording_id(DAY), audio_id, prefix)
    wrong = Layout.source(DAY, recording_id(DAY), audio_id, "0badcafe")
    put(stored, right, old)
    put(stored, wrong, old)
    read_all(stored)
    assert results(stored) == {wrong: "file_changed"}
    assert read_fixity(stored)[right].kind == "older_version"


def test_a_file_that_no_row_states_is_compared_with_its_earlier_reading(stored: Archive) -> None:
    key = f"normalized_audio/day={DAY}/{recording_id(DAY)}/{an_id('other')}.flac"
    put(stored, key, b"unreferenced")
    read_all(stored)
    assert (results(stored), read_fixity(stored)[key].kind) == ({}, "unreferenced")
    put(stored, key, b"unreferencee")
    read_all(stored, NOW + ONE_DAY)
    assert results(stored) == {key: "file_changed"}


@IN_A_BUCKET_TOO
def test_a_replaced_file_is_read_again(stored: Archive) -> None:
    read_all(stored)
    store(stored, DAY, b"a newer original")
    later = NOW + ONE_DAY
    run_pass(stored, SLOW, clock=lambda: later, time_limit=timedelta())  # reads nothing
    rows = read_fixity(stored)
    assert (rows[source_key(DAY)].found_at, rows[source_key(DAY)].checked_at) == (later, None)
    assert rows[source_key(DAY + ONE_DAY)].checked_at == NOW


def test_a_replaced_file_of_the_same_size_is_read_again(stored: Archive) -> None:
    read_all(stored)
    store(stored, DAY, b"THE ORIGINAL")
    assert [row.key for row in read_all(stored, NOW + ONE_DAY).damaged] == []
    assert read_fixity(stored)[source_key(DAY)].found_at == NOW + ONE_DAY


def test_a_new_day_is_read_before_what_was_read_already(stored: Archive) -> None:
    read_all(stored)
    store(stored, DAY + 2 * ONE_DAY)
    read_all(stored, NOW + ONE_DAY, SLOW)
    read = [row.day for row in read_fixity(stored).values() if row.checked_at == NOW + ONE_DAY]
    assert set(read) == {DAY + 2 * ONE_DAY}


def test_a_file_that_is_gone_with_its_row_has_no_row(stored: Archive) -> None:
    read_all(stored)
    for key in (source_key(DAY), audio_key(DAY)):
        stored.remove(key)
    CATALOG.write(stored, DAY, [])
    stored.remove(f"mixed_audio/day={DAY}/mixed_audio.parquet")
    read_all(stored, NOW + ONE_DAY)
    assert {source_key(DAY), audio_key(DAY)}.isdisjoint(read_fixity(stored))


def test_files_of_a_day_with_an_unreadable_table_are_still_read(stored: Archive) -> None:
    read_all(stored)
    put(stored, CATALOG.key(DAY), b"no table")
    put(stored, source_key(DAY), b"the originaL")
    read_all(stored, NOW + ONE_DAY)
    assert results(stored) == {CATALOG.key(DAY): "table_unreadable", source_key(DAY): "file_changed"}


@IN_A_BUCKET_TOO
def test_an_erased_recording_has_no_row_from_then_on(stored: Archive) -> None:
    read_all(stored)
    plan = plan_for_request(stored, recording_id=recording_id(DAY))
    forget(stored, plan, "request 17", no_progress)
    assert recording_id(DAY) not in {row.recording_id for row in read_fixity(stored).values()}
    put(stored, source_key(DAY), b"returned")
    read_all(stored, NOW + ONE_DAY)
    assert source_key(DAY) not in read_fixity(stored)
    assert source_key(DAY + ONE_DAY) in read_fixity(stored)


def test_erasing_many_days_removes_all_their_rows(stored: Archive) -> None:
    read_all(stored)
    forget(stored, plan_for_request(stored, before=DAY + 2 * ONE_DAY), "request 17", no_progress)
    assert {row.recording_id for row in read_fixity(stored).values()} == {None}


def during(action: Callable[[], Any]) -> Callable[[], datetime]:
    """A clock that does something once, when the pass has listed the files and begins to read."""
    calls: list[int] = []

    def clock() -> datetime:
        calls.append(1)
        if len(calls) == 3:
            action()
        return NOW

    return clock


@IN_A_BUCKET_TOO
def test_a_recording_that_is_erased_during_a_pass_gets_no_row(stored: Archive) -> None:
    plan = plan_for_request(stored, recording_id=recording_id(DAY))
    report = run_pass(stored, ALL, clock=during(lambda: forget(stored, plan, "request 17", no_progress)))
    assert recording_id(DAY) not in {row.recording_id for row in read_fixity(stored).values()}
    assert report.damaged == []


def test_files_that_a_sync_replaces_during_a_pass_are_no_damage(stored: Archive) -> None:
    report = run_pass(stored, ALL, clock=during(lambda: store(stored, DAY, b"a newer original")))
    assert report.damaged == []
    read_all(stored, NOW + ONE_DAY)
    assert results(stored) == {}


def test_a_moved_archive_keeps_its_rows(stored: Archive, tmp_path: Any) -> None:
    read_all(stored)
    before = read_fixity(stored)
    moved = dataclasses.replace(stored.location, root=str(tmp_path / "moved"), staging_folder=tmp_path / "spool").open()
    stored.local_path("").rename(moved.local_path(""))
    read_all(moved, NOW + ONE_DAY, SLOW)
    assert {key: row.found_at for key, row in read_fixity(moved).items()} == dict.fromkeys(before, NOW)
    assert results(moved) == {}


def broken_disk(monkeypatch: pytest.MonkeyPatch, *keys: str) -> None:
    """Let the disk fail when a file with one of `keys` in its name is read."""
    whole = FolderStore.open_file

    def open_file(store: FolderStore, key: str) -> BinaryIO:
        if any(part in key for part in keys):
            raise OSError(errno.EIO, "Input/output error")
        return whole(store, key)

    monkeypatch.setattr(FolderStore, "open_file", open_file)


def test_a_file_that_the_disk_does_not_give_is_damaged(stored: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    broken_disk(monkeypatch, source_key(DAY))
    assert [(row.key, row.result) for row in read_all(stored).damaged] == [(source_key(DAY), "file_unreadable")]


def test_a_storage_that_gives_no_file_at_all_damages_none(stored: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    broken_disk(monkeypatch, "day=")
    with pytest.raises(StorageError, match="Input/output error"):
        read_all(stored)
    assert all(row.result is None for row in read_fixity(stored).values())


def test_a_table_fixity_of_a_newer_version_is_refused(stored: Archive) -> None:
    newer = dataclasses.replace(FIXITY, version=FIXITY.version + 1)
    newer.write_file(stored, FIXITY_KEY, [])
    with pytest.raises(TableNewer, match="update recall_pipeline"):
        read_all(stored)
    with pytest.raises(TableNewer):
        remove_fixity_rows(stored, [recording_id(DAY)])


def test_a_damaged_table_fixity_stops_a_pass_and_no_erasure(stored: Archive) -> None:
    put(stored, FIXITY_KEY, b"no table")
    with pytest.raises(TableUnreadable, match="move it away"):
        read_all(stored)
    plan = plan_for_request(stored, recording_id=recording_id(DAY))
    forget(stored, plan, "request 17", no_progress)
    assert not stored.exists(FIXITY_KEY)


def test_a_row_states_a_moment_of_its_file() -> None:
    row = FixityRow("key", "original", DAY, None, None, 1, NOW - ONE_DAY, None, None)
    assert row.since == NOW - ONE_DAY
    assert dataclasses.replace(row, checked_at=NOW).since == NOW
