"""A row knows the last state of an MP3 at Recall, and what the archive holds of it."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from recall_pipeline.download import MixedAudioRow
from recall_pipeline.recall_api import AudioMixed
from recall_pipeline.recall_api.records import read_record
from recall_pipeline_tests.workspace import an_id

THEN, LATER = (datetime(2026, 3, 2, hour, tzinfo=UTC) for hour in (9, 10))
SHOWN = {
    "id": an_id("mp3"),
    "created_at": "2026-03-02T09:00:00Z",
    "status": {"code": "done", "sub_code": "quick", "updated_at": "2026-03-02T10:00:00Z"},
    "metadata": {"team": "sales"},
    "data": {"download_url": "https://storage.invalid/a.mp3?Signature=secret"},
    "format": "mp3",
    "checksum": "crc32c",
}


def _shown(row: Mapping[str, object]) -> AudioMixed:
    audio = read_record(AudioMixed, row)
    assert audio is not None
    return audio


def test_what_recall_shows_is_written_down_without_the_link() -> None:
    row = MixedAudioRow(an_id("recording"), an_id("mp3")).updated_from(_shown(SHOWN))
    assert (row.created_at, row.updated_at) == (THEN, LATER)
    assert (row.status_code, row.status_sub_code, row.metadata) == ("done", "quick", '{"team": "sales"}')
    assert (row.is_offered, row.other_fields) == (True, '{"checksum": "crc32c"}')
    assert "secret" not in repr(row)


@pytest.mark.parametrize("changed", [{"data": {"download_url": None}}, {"data": None}, {"status": {"code": "failed"}}])
def test_without_a_link_or_unfinished_nothing_is_offered(changed: dict[str, object]) -> None:
    row = MixedAudioRow(an_id("recording"), an_id("mp3")).updated_from(_shown(SHOWN | changed))
    assert not row.is_offered


@pytest.mark.parametrize(
    ("state", "captured", "updated", "is_settled"),
    [
        (None, None, THEN, False),
        ("archived", THEN, THEN, True),
        ("corrupt", THEN, THEN, True),
        ("archived", THEN, LATER, False),
        ("corrupt", THEN, LATER, False),
        (None, None, None, False),
        ("archived", None, None, True),
    ],
)
def test_a_row_is_settled_while_the_archive_holds_what_was_last_offered(
    state: str | None, captured: datetime | None, updated: datetime | None, is_settled: bool
) -> None:
    row = MixedAudioRow(an_id("recording"), an_id("mp3"), state=state, captured_updated_at=captured, updated_at=updated)
    assert row.is_settled is is_settled


def test_a_corrupt_version_in_place_of_an_archived_one_is_not_settled_and_not_interrupted() -> None:
    row = MixedAudioRow(
        an_id("recording"), an_id("mp3"), status_code="done", has_url=True, state="archived", fault="cut short"
    )
    assert (row.is_captured, row.is_settled, row.is_interrupted) == (True, False, False)


def test_what_is_gone_keeps_everything_archived() -> None:
    row = MixedAudioRow(an_id("recording"), an_id("mp3"), status_code="done", has_url=True, source_key="kept")
    gone = row.marked_deleted()
    assert (gone.status_code, gone.is_offered, gone.source_key) == ("deleted", False, "kept")


def test_an_earlier_failure_is_forgotten_at_the_next_look() -> None:
    row = MixedAudioRow(an_id("recording"), an_id("mp3"), fetch_failure="the media host answers 503")
    assert row.updated_from(_shown(SHOWN)).fetch_failure is None
    assert row.marked_deleted().fetch_failure is None
