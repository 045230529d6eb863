"""The watermark of a day's catalog: whether the day was cataloged whole since its end, and from which listing."""

from datetime import UTC, datetime, timedelta

import pytest

from recall_pipeline.catalog import CATALOG, catalog_watermark, is_cataloged_since_its_end
from recall_pipeline.days import end_of
from recall_pipeline.discovery import RECORDINGS
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import Archive
from recall_pipeline_tests.workspace import DAY


def test_a_day_without_a_catalog_has_no_watermark(archive: Archive) -> None:
    assert catalog_watermark(archive, DAY) is None
    assert not is_cataloged_since_its_end(archive, DAY)


def test_a_catalog_without_the_time_of_its_listing_has_no_watermark(archive: Archive) -> None:
    CATALOG.write(archive, DAY, [])
    assert catalog_watermark(archive, DAY) is None


@pytest.mark.parametrize(("late", "whole"), [(timedelta(microseconds=-1), False), (timedelta(), True)])
def test_a_day_is_whole_if_its_listing_was_taken_after_its_end(archive: Archive, late: timedelta, whole: bool) -> None:
    listed_at = end_of(DAY) + late
    for table in (RECORDINGS, CATALOG):
        table.write(archive, DAY, [], {"listed_at": listed_at.isoformat()})
    assert catalog_watermark(archive, DAY) == listed_at
    assert is_cataloged_since_its_end(archive, DAY) is whole


def test_a_listing_that_was_not_cataloged_leaves_the_day_incomplete(archive: Archive) -> None:
    CATALOG.write(archive, DAY, [], {"listed_at": end_of(DAY).isoformat()})
    RECORDINGS.write(archive, DAY, [], {"listed_at": (end_of(DAY) + timedelta(hours=1)).isoformat()})
    assert catalog_watermark(archive, DAY) == end_of(DAY)
    assert not is_cataloged_since_its_end(archive, DAY)


def test_an_unreadable_catalog_is_an_error_and_not_an_absent_one(archive: Archive) -> None:
    CATALOG.write(archive, DAY, [], {"listed_at": datetime.now(UTC).isoformat()})
    archive.local_path(CATALOG.key(DAY)).write_bytes(b"not Parquet")
    with pytest.raises(StorageError, match="not a readable Parquet file"):
        catalog_watermark(archive, DAY)
