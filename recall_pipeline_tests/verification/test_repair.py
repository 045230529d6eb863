"""An orphan goes only where it is proven to be one file too many."""

from typing import Any

import pytest

from recall_pipeline.storage import Layout
from recall_pipeline.verification import Kind, Problem, VerificationReport, days_to_sync_again, remove_redundant_files
from recall_pipeline_tests.verification.conftest import PAGE, REVIEW, STANDUP, Copy
from recall_pipeline_tests.workspace import DAY, an_id


def orphaned(key: str) -> VerificationReport:
    """What a verification says of an orphan."""
    return VerificationReport([DAY], problems=[Problem(DAY, Kind.ORPHANED, key, "is named by no row")])


def twin(copy: Copy) -> str:
    """Put the very bytes of a cataloged file under another name of the same audio."""
    audio_id = copy.mp3(REVIEW).audio_id
    content = copy.path(copy.normalized(REVIEW)).read_bytes()
    return copy.put(Layout.normalized(DAY, REVIEW, audio_id, "flac", "0badcafe"), content)


def test_a_twin_of_a_cataloged_file_goes(copy: Copy) -> None:
    named = copy.normalized(REVIEW)
    key = twin(copy)
    remove_redundant_files(copy.archive, orphaned(key))
    assert not copy.path(key).exists()
    assert copy.path(named).exists()


def test_other_bytes_stay(copy: Copy) -> None:
    key = copy.spoil(twin(copy))
    remove_redundant_files(copy.archive, orphaned(key))
    assert copy.path(key).exists()


def test_the_last_good_copy_of_a_damaged_file_stays(copy: Copy) -> None:
    named = copy.normalized(REVIEW)
    key = twin(copy)
    copy.spoil(named)
    remove_redundant_files(copy.archive, orphaned(key))
    assert copy.path(key).exists()


@pytest.mark.parametrize("table", ["audio_catalog", "mixed_audio"])
def test_nothing_goes_while_a_table_that_names_files_is_lost(copy: Copy, table: Any) -> None:
    source = copy.source(REVIEW)
    orphans = [twin(copy), copy.put(source.replace(".mp3", ".0badcafe.mp3"), copy.path(source).read_bytes())]
    copy.archive.remove(Layout.table(table, DAY))
    for key in orphans:
        remove_redundant_files(copy.archive, orphaned(key))
        assert copy.path(key).exists()


def test_the_bytes_of_another_recording_are_no_twin(copy: Copy) -> None:
    content = copy.path(copy.normalized(REVIEW)).read_bytes()
    key = copy.put(Layout.normalized(DAY, STANDUP, an_id("another mp3"), "flac"), content)
    remove_redundant_files(copy.archive, orphaned(key))
    assert copy.path(key).exists()


def test_what_a_row_names_by_now_stays(copy: Copy) -> None:
    remove_redundant_files(copy.archive, orphaned(copy.source(REVIEW)))
    assert copy.path(copy.source(REVIEW)).exists()


@pytest.mark.parametrize("kind", [Kind.MISSING, Kind.CHANGED, Kind.UNDECODABLE, Kind.DISAGREEING])
def test_a_recording_with_a_problem_is_looked_at_again_and_so_is_a_corrupt_one(kind: Kind) -> None:
    problem = Problem(DAY, kind, "a file", "is not what it should be", REVIEW)
    verified = VerificationReport([DAY], corrupt={PAGE: DAY.replace(day=4)}, problems=[problem])
    assert days_to_sync_again(verified) == ([DAY, DAY.replace(day=4)], frozenset({REVIEW, PAGE}))


def test_a_day_whose_table_cannot_be_read_is_left_to_a_person() -> None:
    table = Problem(DAY, Kind.UNREADABLE, Layout.table("bots", DAY), "is not a readable Parquet file")
    assert days_to_sync_again(VerificationReport([DAY], problems=[table])) == ([], frozenset())
