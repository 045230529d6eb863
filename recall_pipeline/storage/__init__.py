"""Where bytes live.

Belongs here: the one spelling of every path (`layout`), opening the archive on a folder or an fsspec URL, publishing
files whole or not at all, tables as parquet with stated types, and the lock that keeps two runs of a day apart.
Does not belong here: what the rows mean, HTTP, audio.
Comes in: settings, proven local files, rows. Goes out: files under their final names, rows, StorageError.
"""

from recall_pipeline.storage.archive import Address, Archive, open_archive
from recall_pipeline.storage.layout import Layout
from recall_pipeline.storage.tables import Table, column

__all__ = ["Address", "Archive", "Layout", "Table", "column", "open_archive"]
