"""Where bytes live.

Belongs here: the one spelling of every path (`layout`), opening the archive on a folder or an fsspec URL, publishing
files whole or not at all, tables as parquet with stated types, and the lock that keeps two runs of a day apart.
Does not belong here: what the rows mean, HTTP, audio.
Comes in: settings, proven local files, rows. Goes out: files under their final names, rows, StorageError.
"""

from recall_pipeline.storage.archive import Address, Archive, open_archive
from recall_pipeline.storage.error_messages import storage_error
from recall_pipeline.storage.integrity import NOT_THERE, mismatch, sha256_of, size_mismatch
from recall_pipeline.storage.layout import AUDIO_FOLDERS, DRAINED_EVENTS, EVENTS, FolderName, Layout
from recall_pipeline.storage.tables import StoredTable, Table, column

__all__ = [
    "AUDIO_FOLDERS",
    "DRAINED_EVENTS",
    "EVENTS",
    "NOT_THERE",
    "Address",
    "Archive",
    "FolderName",
    "Layout",
    "StoredTable",
    "Table",
    "column",
    "mismatch",
    "open_archive",
    "sha256_of",
    "size_mismatch",
    "storage_error",
]
