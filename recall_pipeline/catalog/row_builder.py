"""Build a catalog row from what Recall.ai shows, what was downloaded, and what was normalized."""

import dataclasses
from datetime import datetime
from typing import Any

from recall_pipeline.catalog.audio_columns import SOURCE_COLUMNS, AudioColumns
from recall_pipeline.catalog.duration_difference import notable_difference
from recall_pipeline.catalog.findings import FindingCode, ordered_findings
from recall_pipeline.catalog.outcomes import AUDIBLE, decide
from recall_pipeline.catalog.rows import CatalogRow
from recall_pipeline.discovery import RecordingRow
from recall_pipeline.download import MixedAudioRow
from recall_pipeline.storage import Archive

_RECORDING_COLUMNS = (
    "recording_id", "bot_id", "bot_name", "platform", "meeting_id", "created_at", "started_at", "completed_at",
    "expires_at", "metadata",
)  # fmt: skip


def build_row(
    archive: Archive,
    recording: RecordingRow,
    mp3: MixedAudioRow | None,
    audio: AudioColumns | None,
    before: CatalogRow | None,
    now: datetime,
) -> CatalogRow:
    """Return the row of a recording and one of its MP3s; `cataloged_at` changes only when another column does."""
    verdict = decide(recording, mp3, audio, now)
    columns: dict[str, Any] = {name: getattr(recording, name) for name in _RECORDING_COLUMNS}
    columns |= {name: getattr(mp3, name, None) for name in ("source_key", *SOURCE_COLUMNS)}
    columns["source_uri"] = archive.uri(mp3.source_key) if mp3 and mp3.source_key else None
    columns |= audio.values if audio else {}
    difference = notable_difference(recording.recorded_seconds, columns["duration_seconds"])
    if difference and verdict.outcome in AUDIBLE:
        verdict = verdict.noting(FindingCode.DURATION_DIFFERS, difference)
    if recording.start_is_estimated:
        verdict = verdict.noting(FindingCode.START_UNKNOWN, "its start is not known: the tables of its day were lost")
    row = CatalogRow(
        **columns,
        audio_id=mp3.audio_id if mp3 else None,
        outcome=str(verdict.outcome),
        outcome_reason=verdict.reason,
        upstream_status=_upstream_status(recording, mp3),
        recording_seconds=recording.recorded_seconds,
        findings=ordered_findings(verdict.findings),
        cataloged_at=before.cataloged_at if before else None,
    )
    return before if row == before else dataclasses.replace(row, cataloged_at=now)


def _upstream_status(recording: RecordingRow, mp3: MixedAudioRow | None) -> str | None:
    if recording.is_gone or mp3 is None:
        return recording.status_code
    return mp3.status_code
