"""Watermark of a day's catalog: when the listing was taken that it is built from.

The catalog of a day is published as a whole, after all its files are normalized. So a catalog that exists is complete
as of its watermark: there are no partial ones.
"""

from datetime import date, datetime
from typing import Any

from recall_pipeline.catalog.rows import CATALOG
from recall_pipeline.days import end_of
from recall_pipeline.discovery import RECORDINGS
from recall_pipeline.storage import Archive, Table


def catalog_watermark(archive: Archive, day: date) -> datetime | None:
    """Return when the listing of `day` was taken that its catalog is built from (UTC); None without a catalog.

    Reads the metadata of one file and no rows. Raises StorageError if the file cannot be read.
    """
    return _watermark(CATALOG, archive, day)


def is_cataloged_since_its_end(archive: Archive, day: date) -> bool:
    """Whether the catalog of `day` is built from a listing taken after the day's end, and from the latest listing.

    A listing that is later than the catalog is one of a sync that was interrupted.
    Reads the metadata of at most two files and no rows. Raises StorageError if a file cannot be read.
    """
    cataloged = catalog_watermark(archive, day)
    return cataloged is not None and cataloged >= end_of(day) and cataloged == _watermark(RECORDINGS, archive, day)


def _watermark(table: Table[Any], archive: Archive, day: date) -> datetime | None:
    listed_at = (table.facts(archive, day) or {}).get("listed_at")
    return None if listed_at is None else datetime.fromisoformat(listed_at)
