"""Integrity check: compare a stored file with the size and SHA-256 in its row."""

import hashlib
from pathlib import Path

from recall_pipeline.storage.archive import Archive

NOT_THERE = "is not there"


def mismatch(archive: Archive, key: str, size_bytes: int | None, sha256: str | None) -> str | None:
    """Return how the file under `key` differs from the expected size and SHA-256 (hex); None if it does not.

    An expected value of None is not compared. Raises StorageError if the file is not readable.
    """
    if problem := size_mismatch(archive.size_bytes(key), size_bytes):
        return problem
    if sha256 is None:
        return None
    with archive.local_copy(key) as local:
        return None if sha256_of(local) == sha256 else "has another SHA-256"


def size_mismatch(found_bytes: int | None, expected_bytes: int | None) -> str | None:
    """Return how a size differs from the expected one; None if it does not. `found_bytes` is None without a file."""
    if found_bytes is None:
        return NOT_THERE
    return f"has {found_bytes} bytes, not {expected_bytes}" if expected_bytes not in (None, found_bytes) else None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
