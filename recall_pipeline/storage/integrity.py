"""Hold what is stored against what a table states of it."""

import hashlib
from pathlib import Path

from recall_pipeline.storage.archive import Archive

NOT_THERE = "is not there"


def mismatch(archive: Archive, key: str, size_bytes: int | None, sha256: str | None) -> str | None:
    """Say how what is stored under `key` differs from what is stated; None when it does not.

    A size or hash that is None is not stated. Raises StorageError when it cannot be read.
    """
    if problem := size_mismatch(archive.size_bytes(key), size_bytes):
        return problem
    if sha256 is None:
        return None
    with archive.local_copy(key) as local:
        return None if sha256_of(local) == sha256 else "has another SHA-256"


def size_mismatch(found_bytes: int | None, stated_bytes: int | None) -> str | None:
    """Say how a size differs from the stated one; None when it does not. No size found: there is no file."""
    if found_bytes is None:
        return NOT_THERE
    return f"has {found_bytes} bytes, not {stated_bytes}" if stated_bytes not in (None, found_bytes) else None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
