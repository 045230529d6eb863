"""An archive of meetings, written without a sync: rows of every outcome, real audio, peaks and transcripts."""

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import soundfile

from recall_pipeline.audit import AUDIT, FORGOTTEN, AuditRow, record_audit
from recall_pipeline.browse.transcripts import TRANSCRIPT_TEXTS, TranscriptText
from recall_pipeline.catalog import CATALOG, WAVEFORMS, CatalogRow, WaveformRow
from recall_pipeline.storage import Archive, Int8, Layout
from recall_pipeline_tests.audio.sounds import mp3_bytes, noise
from recall_pipeline_tests.workspace import an_id

DAY, NEXT_DAY = date(2026, 3, 2), date(2026, 3, 3)
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
SECONDS = 20
HOSTILE = "\"><script>alert(1)</script>' onload=x <!-- {{ 7*7 }} ${x} \x00\u202e"
LINES = ("welcome to the quarterly review", "the Übergabe is on Friday", "会議の議事録を見ます", "goodbye")


def row(name: str, outcome: str = "ready", **others: Any) -> CatalogRow:
    """A row of `DAY`; all ids come from its name."""
    values: dict[str, Any] = {
        "recording_id": an_id(name),
        "audio_id": an_id(f"{name} mp3") if outcome in ("ready", "silent", "corrupt") else None,
        "bot_id": an_id(f"{name} bot"),
        "bot_name": f"Notetaker of {name}",
        "platform": "zoom",
        "meeting_id": name,
        "created_at": NINE,
        "cataloged_at": NINE,
        "findings": [],
        "metadata": f'{{"team": "{name}"}}',
    }
    return CatalogRow(outcome=outcome, **{**values, **others})


def write_day(archive: Archive, *rows: CatalogRow, day: date = DAY) -> None:
    """Write a day's catalog."""
    CATALOG.write(archive, day, rows, {"listed_at": NINE.isoformat()})


def with_audio(archive: Archive, plain: CatalogRow, day: date = DAY) -> CatalogRow:
    """Store both files of a row, and return the row with their columns."""
    assert plain.audio_id is not None
    sound = noise(SECONDS)
    original = _stored(archive, Layout.source(day, plain.recording_id, plain.audio_id), mp3_bytes(sound))
    key = Layout.normalized(day, plain.recording_id, plain.audio_id, "flac")
    with archive.staged_file(suffix=".flac") as staged:
        soundfile.write(staged, sound, 16000)
        content = staged.read_bytes()
    normalized = _stored(archive, key, content)
    return replace(
        plain,
        source_key=original[0], source_sha256=original[1], source_bytes=original[2], source_codec="mp3",
        audio_key=normalized[0], audio_sha256=normalized[1], audio_bytes=normalized[2], audio_format="flac",
        duration_seconds=float(SECONDS), source_lufs=-20.0, audio_lufs=-16.0,
    )  # fmt: skip


def _stored(archive: Archive, key: str, content: bytes) -> tuple[str, str, int]:
    with archive.staged_file() as staged:
        staged.write_bytes(content)
        archive.publish(staged, key)
    return key, hashlib.sha256(content).hexdigest(), len(content)


def write_waveforms(archive: Archive, *rows: CatalogRow, day: date = DAY) -> None:
    """Write peaks: loud, with a quiet stretch from 5 to 10 s."""
    peaks = [100, 100, 100, 100, 100, 1, 1, 1, 1, 1, *[100] * 10]
    minima, maxima = (cast("list[Int8]", [sign * peak for peak in peaks]) for sign in (-1, 1))
    stored = [
        WaveformRow(
            row.recording_id, row.audio_id or "", row.audio_key or "", row.audio_sha256 or "", 1.0, minima, maxima
        )
        for row in rows
    ]
    WAVEFORMS.write(archive, day, stored)


def write_transcripts(archive: Archive, *rows: CatalogRow, day: date = DAY, lines: tuple[str, ...] = LINES) -> None:
    """Write a transcript of each row, five seconds a line."""
    texts = [
        TranscriptText(
            row.recording_id, row.audio_id, row.audio_sha256, "en", "base",
            [{"start_seconds": n * 5.0, "end_seconds": n * 5.0 + 5, "text": text} for n, text in enumerate(lines)],
        )
        for row in rows
    ]  # fmt: skip
    TRANSCRIPT_TEXTS.write(archive, day, texts)


def note_erasure(archive: Archive, erased: CatalogRow, day: date = DAY) -> None:
    """Begin to erase a recording: the audit has it, its tables and files are still there."""
    audit = AuditRow(FORGOTTEN, erased.recording_id, None, erased.bot_id, "asked to", NINE + timedelta(days=1))
    record_audit(archive, day, [*(AUDIT.read(archive, day) or ()), audit])


def fill(archive: Archive) -> dict[str, CatalogRow]:
    """Write a day with one recording of each kind, and an empty day after it."""
    rows = {
        "ready": with_audio(archive, row("ready", outcome_reason="3 damaged stretches, the first at 7.5 s",
                                         findings=["damaged_frames"])),
        "corrupt": row("corrupt", "corrupt", outcome_reason="cut short", platform="microsoft_teams"),
        "processing": row("processing", "processing", outcome_reason="Recall is working on it",
                          expires_at=datetime(2026, 3, 9, tzinfo=UTC)),
        "hostile": row("hostile", "not_requested", bot_name=HOSTILE, platform=HOSTILE, meeting_id=HOSTILE,
                       outcome_reason=HOSTILE, metadata='{"a<b>": "\\"><img src=x onerror=alert(1)>"}'),
        "forgotten": row("forgotten").redacted(),
    }  # fmt: skip
    write_day(archive, *rows.values())
    write_day(archive, day=NEXT_DAY)
    write_waveforms(archive, rows["ready"])
    write_transcripts(archive, rows["ready"])
    return rows


def file_of(archive: Archive, key: str | None) -> bytes:
    """The content of a stored file."""
    content = archive.read(key or "")
    assert content is not None
    return content


def folder_of(archive: Archive) -> Path:
    """The folder of a local archive."""
    return Path(archive.location.root)
