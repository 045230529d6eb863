"""Give a proven file its name: never over other bytes (contract.md section 3)."""

from datetime import date
from pathlib import Path

from recall_pipeline.capture.rows import MixedAudioRow
from recall_pipeline.capture.stored import unlike
from recall_pipeline.storage import Archive, Layout

_VERSION_LENGTH = 8


def publish_source(archive: Archive, day: date, row: MixedAudioRow, received: Path, sha256: str) -> str:
    """Publish a received MP3 and return its key; unchanged bytes keep theirs, other bytes lie beside the old ones.

    What is stored already is read back, not trusted.
    """
    key = row.source_key if row.source_key and row.source_sha256 == sha256 else None
    key = key or _free_key(archive, day, row, sha256)
    if unlike(archive, key, received.stat().st_size, sha256):
        archive.publish(received, key)  # a damaged file under the name of these very bytes is mended so
    received.unlink(missing_ok=True)  # on disk it has moved, elsewhere it was copied
    return key


def _free_key(archive: Archive, day: date, row: MixedAudioRow, sha256: str) -> str:
    plain = Layout.source(day, row.recording_id, row.audio_id)
    if not archive.exists(plain) or not unlike(archive, plain, None, sha256):
        return plain
    return Layout.source(day, row.recording_id, row.audio_id, sha256[:_VERSION_LENGTH])
