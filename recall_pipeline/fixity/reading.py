"""Read one file back: its SHA-256, and of a table that it is whole. No audio is decoded."""

import hashlib
import io
from dataclasses import dataclass

from recall_pipeline.errors import StorageError
from recall_pipeline.fixity.rows import OK
from recall_pipeline.fixity.stored_files import FileKind, StoredFile
from recall_pipeline.storage import Archive
from recall_pipeline.verification import Code


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found: `ok` or a code, the SHA-256 of what was read, and its number of bytes.

    `error`: why the storage did not give the file.
    """

    file: StoredFile
    result: str
    sha256: str | None = None
    bytes_read: int = 0
    error: StorageError | None = None


def read_back(archive: Archive, file: StoredFile, known_sha256: str | None) -> Reading:
    """Read a file once, in parts, and compare it with its row; without one, with `known_sha256` of an earlier pass."""
    if file.has_wrong_size:
        return Reading(file, _code_of_size(file))
    try:
        if file.kind is FileKind.TABLE:
            return _table_read(archive, file)
        digest, bytes_read = hashlib.sha256(), 0
        for part in archive.parts(file.key):
            digest.update(part)
            bytes_read += len(part)
    except StorageError as error:
        return Reading(file, Code.FILE_UNREADABLE, error=error)
    sha256 = digest.hexdigest()
    expected = [each for each in (file.stated_sha256, known_sha256 if file.stated_sha256 is None else None) if each]
    is_right = all(sha256.startswith(each) for each in expected)
    return Reading(file, OK if is_right else Code.FILE_CHANGED, sha256, bytes_read)


def _code_of_size(file: StoredFile) -> Code:
    if file.size_bytes is None:
        return Code.FILE_MISSING
    return Code.FILE_SIZE_DIFFERS if file.size_bytes else Code.FILE_EMPTY


def _table_read(archive: Archive, file: StoredFile) -> Reading:
    """Read a table whole: its pages have checksums, or at least are compressed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = b"".join(archive.parts(file.key))
    try:
        pq.ParquetFile(io.BytesIO(content), page_checksum_verification=True).read(use_threads=False)
        result: str = OK
    except (pa.ArrowException, OSError, ValueError):
        result = Code.TABLE_UNREADABLE
    return Reading(file, result, hashlib.sha256(content).hexdigest(), len(content))
