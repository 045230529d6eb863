"""Days with one recording each, of a few bytes, as a sync leaves them; no audio, since fixity decodes none."""

import hashlib
from datetime import date, timedelta
from typing import Any

from recall_pipeline.catalog import CATALOG, CatalogRow
from recall_pipeline.days import start_of
from recall_pipeline.discovery import BOTS, RECORDINGS, BotRow, RecordingRow
from recall_pipeline.download import MIXED_AUDIO, MixedAudioRow
from recall_pipeline.storage import Archive, Layout
from recall_pipeline_tests.workspace import an_id

DAY = date(2026, 3, 2)
FILES_A_DAY = 6  # four tables, an original, a normalized file


def recording_id(day: date) -> str:
    return an_id(f"recording of {day}")


def source_key(day: date) -> str:
    return Layout.source(day, recording_id(day), an_id(f"audio of {day}"))


def audio_key(day: date) -> str:
    return Layout.normalized(day, recording_id(day), an_id(f"audio of {day}"), "flac")


def put(archive: Archive, key: str, content: bytes) -> None:
    """Store a file."""
    with archive.staged_file() as staged:
        staged.write_bytes(content)
        archive.publish(staged, key)


def store(archive: Archive, day: date, original: bytes = b"the original") -> None:
    """Store a day: its files, and tables that state their hashes."""
    name, audio_id, normalized = recording_id(day), an_id(f"audio of {day}"), original + b", normalized"
    put(archive, source_key(day), original)
    put(archive, audio_key(day), normalized)
    bot_id, noon = an_id(f"bot of {day}"), start_of(day) + timedelta(hours=12)
    source: dict[str, Any] = {"source_bytes": len(original), "source_sha256": hashlib.sha256(original).hexdigest()}
    BOTS.write(archive, day, [BotRow(bot_id, bot_name="Notetaker", is_finished=True, media_expired=False)])
    RECORDINGS.write(archive, day, [RecordingRow(recording_id=name, created_at=noon, bot_id=bot_id)])
    mp3 = MixedAudioRow(name, audio_id, has_url=True, source_key=source_key(day), **source)
    MIXED_AUDIO.write(archive, day, [mp3])
    row = CatalogRow(
        recording_id=name,
        audio_id=audio_id,
        bot_id=bot_id,
        outcome="ready",
        created_at=noon,
        source_uri=archive.uri(source_key(day)),
        source_key=source_key(day),
        audio_uri=archive.uri(audio_key(day)),
        audio_key=audio_key(day),
        audio_bytes=len(normalized),
        audio_sha256=hashlib.sha256(normalized).hexdigest(),
        **source,
    )
    CATALOG.write(archive, day, [row])
