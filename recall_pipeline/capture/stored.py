"""Hold what is stored against what a table states of it."""

from recall_pipeline.capture.proof import sha256_of
from recall_pipeline.storage import Archive

NOT_THERE = "is not there"


def unlike(archive: Archive, key: str, size_bytes: int | None, sha256: str | None) -> str | None:
    """Say how what is stored under `key` differs from what is stated; None when it does not.

    A size or hash that is None is not stated. Raises StorageError when it cannot be read.
    """
    found = archive.size_bytes(key)
    if found is None:
        return NOT_THERE
    if size_bytes is not None and found != size_bytes:
        return f"has {found} bytes, not {size_bytes}"
    if sha256 is None:
        return None
    with archive.local_copy(key) as local:
        return None if sha256_of(local) == sha256 else "has another SHA-256"
