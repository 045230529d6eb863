"""Summaries of days are kept between starts, are used with their version only, and may be lost or damaged."""

import sqlite3
from pathlib import Path

import pytest

from recall_pipeline.browse import ArchivePage
from recall_pipeline.browse.day_summary import DaySummary
from recall_pipeline.browse.indexing import day_versions
from recall_pipeline.browse.overview import catalog_versions
from recall_pipeline.browse.row_filter import CatalogFilter
from recall_pipeline.browse.summaries import Summaries
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, open_archive, private_temporary_folder
from recall_pipeline_tests.browse.conftest import Serve
from recall_pipeline_tests.browse.meetings import DAY, fill, note_erasure, row, write_day
from recall_pipeline_tests.storages import FOLDER_AND_BUCKET

ALL = CatalogFilter()
pytestmark = pytest.mark.usefixtures("own_temporary_folder")


def summarized(archive: Archive, version: str = "1", selected: CatalogFilter = ALL) -> DaySummary:
    """The summary of `DAY` by a reader that was just started."""
    summaries = Summaries(archive)
    try:
        return summaries.of({DAY: version}, selected, None)[DAY]
    finally:
        summaries.close()


def stored_files(folder: Path) -> list[Path]:
    return list(folder.rglob("browse-*.sqlite3"))


def test_a_later_start_reads_only_days_that_changed(archive: Archive) -> None:
    write_day(archive, row("one"))
    assert summarized(archive).rows == 1
    write_day(archive, row("one"), row("two"))
    assert summarized(archive).rows == 1  # of the same version
    assert summarized(archive, "2").rows == 2


def test_a_filtered_summary_is_another_one(archive: Archive) -> None:
    write_day(archive, row("one"), row("two", "corrupt"))
    corrupt = CatalogFilter(outcome="corrupt")
    assert [summarized(archive, selected=each).rows for each in (ALL, corrupt, ALL)] == [2, 1, 2]


def test_a_day_that_cannot_be_read_is_tried_again(archive: Archive) -> None:
    with archive.staged_file() as staged:
        staged.write_bytes(b"not Parquet")
        archive.publish(staged, f"audio_catalog/day={DAY}/audio_catalog.parquet")
    assert summarized(archive).fault
    write_day(archive, row("one"))
    assert summarized(archive).fault is None


@pytest.mark.parametrize("damage", [b"not a database", b""])
def test_a_damaged_file_is_rebuilt(archive: Archive, own_temporary_folder: Path, damage: bytes) -> None:
    write_day(archive, row("one"))
    summarized(archive)
    (path,) = stored_files(own_temporary_folder)
    path.write_bytes(damage)
    assert summarized(archive).rows == 1
    assert summarized(archive).rows == 1
    assert path.read_bytes().startswith(b"SQLite format 3")


def test_summaries_of_another_form_are_not_used(archive: Archive, own_temporary_folder: Path) -> None:
    write_day(archive, row("one"))
    summarized(archive)
    (path,) = stored_files(own_temporary_folder)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE summaries SET summary = ?", ('{"unknown": 1}',))
    database.close()
    assert summarized(archive).rows == 1


def test_the_file_is_private_and_has_no_personal_data(archive: Archive, own_temporary_folder: Path) -> None:
    rows = fill(archive)
    summarized(archive)
    (path,) = stored_files(own_temporary_folder)
    assert path.stat().st_mode & 0o077 == 0
    content = path.read_bytes()
    personal = [
        text for each in rows.values() for text in (each.recording_id, each.bot_id, each.bot_name, each.metadata)
    ]
    assert [text for text in personal if text and text.encode() in content] == []


def test_without_a_private_temporary_folder_it_works_all_the_same(archive: Archive, own_temporary_folder: Path) -> None:
    write_day(archive, row("one"))
    private_temporary_folder().chmod(0o777)  # others could put files there
    page = ArchivePage(archive)
    page.pages.indexer.update()
    assert page.pages.index.search("notetaker", 5, days={DAY})
    page.close()
    assert summarized(archive).rows == 1
    assert stored_files(own_temporary_folder) == []


@pytest.mark.parametrize("url", FOLDER_AND_BUCKET)
def test_pages_and_erasure_are_the_same_on_a_bucket(request: pytest.FixtureRequest, url: str, serve: Serve) -> None:
    archive = open_archive(Settings(storage_url=request.getfixturevalue(url)))
    rows = fill(archive)
    client, ready = serve(archive), rows["ready"]
    while "being read now, and" in (overview := client.get("/").text):
        continue
    assert "3 without audio" in overview
    assert ready.recording_id in client.get(f"/days/{DAY}").text
    page = client.get(f"/days/{DAY}/{ready.recording_id}").text
    assert "goodbye" in page
    assert 'class="peaks"' in page
    assert ready.recording_id in client.get("/search?q=goodbye").text
    note_erasure(archive, ready)
    assert client.get(f"/days/{DAY}/{ready.recording_id}").status_code == 410
    assert ready.recording_id not in client.get("/search?q=goodbye").text


def test_every_change_of_a_table_is_another_version(archive: Archive) -> None:
    page = ArchivePage(archive)
    ready = fill(archive)["ready"]
    seen = {day_versions(archive)[DAY]}
    before = catalog_versions(page.pages)[DAY]
    note_erasure(archive, ready)
    seen.add(day_versions(archive)[DAY])
    assert catalog_versions(page.pages)[DAY] == before
    write_day(archive, ready)
    seen.add(day_versions(archive)[DAY])
    assert catalog_versions(page.pages)[DAY] != before
    page.close()
    assert len(seen) == 3
