"""Publish an MP3 under the key of its version, never over other bytes (docs/design/interface.md, section 3)."""

from datetime import date
from pathlib import Path

from recall_pipeline.download.rows import MixedAudioRow
from recall_pipeline.storage import NOT_THERE, Archive, Layout, mismatch

_VERSION_LENGTH = 8


def publish_version(archive: Archive, day: date, row: MixedAudioRow, received: Path, sha256: str) -> str:
    """Publish a received MP3 and return its key; unchanged bytes keep their key, other bytes get a key beside it.

    What is stored already is read back, not trusted.
    """
    size_bytes = received.stat().st_size
    for key in _possible_keys(day, row, sha256):
        problem = mismatch(archive, key, size_bytes, sha256)
        if problem in (None, NOT_THERE):
            break
    if problem:
        archive.publish(received, key)  # this also replaces a damaged file with the same hash in its key
    received.unlink(missing_ok=True)  # on disk it has moved, elsewhere it was copied
    return key


def _possible_keys(day: date, row: MixedAudioRow, sha256: str) -> tuple[str, ...]:
    """Return the possible keys of these bytes; the last one is used whatever is stored there."""
    if row.source_key and row.source_sha256 == sha256:
        return (row.source_key,)
    ids = (day, row.recording_id, row.audio_id)
    return Layout.source(*ids), Layout.source(*ids, sha256[:_VERSION_LENGTH])
