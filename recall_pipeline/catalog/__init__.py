"""Decide what became of each recording, and keep the table that everybody reads.

Belongs here: the columns of `audio_catalog`, the outcome table of the contract as one function, normalizing what is
archived, publishing a day of the catalog, and the readers of rows and audio that others import.
Does not belong here: asking Recall.ai anything. Everything needed is in the archive, so no key is needed either.
Comes in: the rows of `recordings` and `mixed_audio`. Goes out: normalized files and the rows of `audio_catalog`.
"""

from recall_pipeline.catalog.day import Cataloged, catalog_day
from recall_pipeline.catalog.opening import ArchivedRecording, read_recordings
from recall_pipeline.catalog.reading import read_catalog
from recall_pipeline.catalog.rows import CATALOG, CatalogRow

__all__ = [
    "CATALOG",
    "ArchivedRecording",
    "CatalogRow",
    "Cataloged",
    "catalog_day",
    "read_catalog",
    "read_recordings",
]
