"""Storage backend for local folders and object stores: paths, atomic writes, Parquet tables, locks.

Belongs here: every path of the archive (`layout`), opening the archive on a folder or an fsspec URL, publishing
files atomically, the identity of the archive, typed Parquet tables, the staging folder, integrity checks, and the lock
of a day.
Does not belong here: the meaning of rows, HTTP, audio.
Comes in: settings, verified local files, rows. Goes out: files under their final names, rows, StorageError.
"""

from recall_pipeline.storage.archive import Archive
from recall_pipeline.storage.archive_day import ArchiveDay, open_day
from recall_pipeline.storage.archive_identity import (
    accept_api,
    api_host,
    check_identity,
    create_identity,
    host_in,
    read_identity,
    record_identity,
)
from recall_pipeline.storage.column_scan import (
    ScannedDay,
    raise_if_storage_is_down,
    scan_days,
    stream_days,
    stream_tables,
)
from recall_pipeline.storage.error_messages import storage_error
from recall_pipeline.storage.file_system import weaknesses_of
from recall_pipeline.storage.integrity import NOT_THERE, mismatch, sha256_of, size_mismatch
from recall_pipeline.storage.layout import (
    AUDIO_FOLDERS,
    AWAITED_EVENTS,
    CONSUMED_EVENTS,
    EVENTS,
    ROOT_NAMES,
    FolderName,
    Layout,
)
from recall_pipeline.storage.location import ArchiveLocation, open_archive, place_of, staging_place_of
from recall_pipeline.storage.locks import exclusive_file_lock
from recall_pipeline.storage.permissions import private_temporary_folder
from recall_pipeline.storage.stored_tables import StoredColumns, StoredTable, TableFile
from recall_pipeline.storage.table_schema import Int8, column
from recall_pipeline.storage.tables import Table, cure_of_missing_table

__all__ = [
    "AUDIO_FOLDERS",
    "AWAITED_EVENTS",
    "CONSUMED_EVENTS",
    "EVENTS",
    "NOT_THERE",
    "ROOT_NAMES",
    "Archive",
    "ArchiveDay",
    "ArchiveLocation",
    "FolderName",
    "Int8",
    "Layout",
    "ScannedDay",
    "StoredColumns",
    "StoredTable",
    "Table",
    "TableFile",
    "accept_api",
    "api_host",
    "check_identity",
    "column",
    "create_identity",
    "cure_of_missing_table",
    "exclusive_file_lock",
    "host_in",
    "mismatch",
    "open_archive",
    "open_day",
    "place_of",
    "private_temporary_folder",
    "raise_if_storage_is_down",
    "read_identity",
    "record_identity",
    "scan_days",
    "sha256_of",
    "size_mismatch",
    "staging_place_of",
    "storage_error",
    "stream_days",
    "stream_tables",
    "weaknesses_of",
]
