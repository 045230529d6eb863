"""An orphan is removed only if its bytes are cataloged and verified under another name of the same audio."""

from typing import Any

import pytest

from recall_pipeline.storage import Layout
from recall_pipeline.verification import Code, Problem, VerificationReport, days_to_sync_again, remove_redundant_files
from recall_pipeline_tests.verification.conftest import PAGE, REVIEW, STANDUP, Copy
from recall_pipeline_tests.workspace import DAY, an_id


def orphaned(key: str) -> VerificationReport:
    """The report of a verification that found an orphan."""
    return VerificationReport(
        [DAY], problems=[Problem(DAY, Code.FILE_UNREFERENCED, key, "is not referenced by any row")]
    )


def duplicate(copy: Copy) -> str:
    """Store the bytes of a cataloged file under another name of the same audio."""
    audio_id = copy.mp3(REVIEW).audio_id
    content = copy.path(copy.normalized(REVIEW)).read_bytes()
    return copy.put(Layout.normalized(DAY, REVIEW, audio_id, "flac", "0badcafe"), content)


def test_a_duplicate_of_a_cataloged_file_is_removed(copy: Copy) -> None:
    cataloged = copy.normalized(REVIEW)
    key = duplicate(copy)
    remove_redundant_files(copy.archive, orphaned(key))
    assert not copy.path(key).exists()
    assert copy.path(cataloged).exists()


def test_an_orphan_with_other_bytes_is_kept(copy: Copy) -> None:
    key = copy.damage(duplicate(copy))
    remove_redundant_files(copy.archive, orphaned(key))
    assert copy.path(key).exists()


def test_the_last_intact_copy_of_a_damaged_file_is_kept(copy: Copy) -> None:
    cataloged = copy.normalized(REVIEW)
    key = duplicate(copy)
    copy.damage(cataloged)
    remove_redundant_files(copy.archive, orphaned(key))
    assert copy.path(key).exists()


@pytest.mark.parametrize("table", ["audio_catalog", "mixed_audio"])
def test_no_file_is_removed_while_a_table_that_references_files_is_lost(copy: Copy, table: Any) -> None:
    source = copy.source(REVIEW)
    orphans = [duplicate(copy), copy.put(source.replace(".mp3", ".0badcafe.mp3"), copy.path(source).read_bytes())]
    copy.archive.remove(Layout.table(table, DAY))
    for key in orphans:
        remove_redundant_files(copy.archive, orphaned(key))
        assert copy.path(key).exists()


def test_the_same_bytes_of_another_recording_are_not_a_duplicate(copy: Copy) -> None:
    content = copy.path(copy.normalized(REVIEW)).read_bytes()
    key = copy.put(Layout.normalized(DAY, STANDUP, an_id("another mp3"), "flac"), content)
    remove_redundant_files(copy.archive, orphaned(key))
    assert copy.path(key).exists()


def test_a_file_that_a_row_references_again_is_kept(copy: Copy) -> None:
    remove_redundant_files(copy.archive, orphaned(copy.source(REVIEW)))
    assert copy.path(copy.source(REVIEW)).exists()


@pytest.mark.parametrize("code", [Code.FILE_MISSING, Code.FILE_CHANGED, Code.FILE_UNDECODABLE, Code.ROWS_CONTRADICT])
def test_recordings_with_a_problem_and_corrupt_recordings_are_synced_again(code: Code) -> None:
    problem = Problem(DAY, code, "a file", "is not what it should be", REVIEW)
    report = VerificationReport([DAY], corrupt={PAGE: DAY.replace(day=4)}, problems=[problem])
    assert days_to_sync_again(report) == ([DAY, DAY.replace(day=4)], frozenset({REVIEW, PAGE}))


def test_a_day_with_an_unreadable_table_is_left_to_the_operator() -> None:
    table = Problem(DAY, Code.TABLE_UNREADABLE, Layout.table("bots", DAY), "is not a readable Parquet file")
    assert days_to_sync_again(VerificationReport([DAY], problems=[table])) == ([], frozenset())
