"""An archive of many days, each with one recording of one byte: enough to test retention."""

import dataclasses
from datetime import date, datetime, timedelta

from recall_pipeline.catalog import CATALOG, CatalogRow
from recall_pipeline.days import start_of, utc_now
from recall_pipeline.discovery import BOTS, RECORDINGS, BotRow, RecordingRow
from recall_pipeline.download import MIXED_AUDIO, MixedAudioRow
from recall_pipeline.storage import Archive, Layout
from recall_pipeline_tests.workspace import an_id


def fill(archive: Archive, days: int, *, listed_at: datetime | None = None, a_day: int = 1) -> list[date]:
    """Store `a_day` recordings for each of the last `days` days; return these days, oldest first."""
    today = utc_now().date()
    filled = [today - timedelta(days=ago) for ago in reversed(range(days))]
    for day in filled:
        store_recording(archive, day, listed_at or utc_now())
        others = [_catalog_row(day, an_id(f"recording {number} of {day}")) for number in range(1, a_day)]
        if others:
            CATALOG.write(archive, day, [*(CATALOG.read(archive, day) or []), *others], CATALOG.facts(archive, day))
    return filled


def recording_id(day: date) -> str:
    return an_id(f"recording of {day}")


def store_recording(archive: Archive, day: date, listed_at: datetime) -> None:
    """Store a recording at noon, its bot, and a file."""
    name, noon = recording_id(day), start_of(day) + timedelta(hours=12)
    bot_id, audio_id = an_id(f"bot of {day}"), an_id(f"audio of {day}")
    key = Layout.source(day, name, audio_id)
    with archive.staged_file() as written:
        written.write_bytes(b"!")
        archive.publish(written, key)
    facts = {"listed_at": listed_at.isoformat()}
    BOTS.write(archive, day, [BotRow(bot_id=bot_id, bot_name="Notetaker", is_finished=True, media_expired=False)])
    row = RecordingRow(recording_id=name, created_at=noon, bot_id=bot_id, bot_name="Notetaker")
    RECORDINGS.write(archive, day, [row], facts)
    MIXED_AUDIO.write(archive, day, [MixedAudioRow(name, audio_id, has_url=False, source_key=key)])
    CATALOG.write(archive, day, [dataclasses.replace(_catalog_row(day, name), audio_id=audio_id, bot_id=bot_id)], facts)


def _catalog_row(day: date, name: str) -> CatalogRow:
    return CatalogRow(
        recording_id=name, audio_id=None, bot_id=None, outcome="ready", created_at=start_of(day) + timedelta(hours=12)
    )


def outcomes(archive: Archive, days: list[date]) -> list[str]:
    """The outcome of each day's recording."""
    return [row.outcome for day in days for row in CATALOG.read(archive, day) or []]
