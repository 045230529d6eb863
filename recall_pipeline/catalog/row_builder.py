"""Put a catalog row together from what Recall said, what was captured, and what was heard."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from recall_pipeline.audio import Normalized
from recall_pipeline.catalog.duration_difference import notable_difference
from recall_pipeline.catalog.normalization import NormalizeTask, Published
from recall_pipeline.catalog.outcomes import Listened, Outcome, decide
from recall_pipeline.catalog.rows import CatalogRow
from recall_pipeline.discovery import RecordingRow
from recall_pipeline.download import MixedAudioRow
from recall_pipeline.errors import PipelineError
from recall_pipeline.storage import Archive, Layout

_BARS = "▁▂▃▄▅▆▇█"
_HEARD_COLUMNS = (
    "audio_uri", "audio_bytes", "audio_sha256", "audio_format", "audio_sample_rate_hz", "audio_channels",
    "audio_samples", "source_lufs", "source_true_peak_dbtp", "loudness_range_lu", "audio_lufs",
    "audio_true_peak_dbtp", "gain_db", "speech_ratio", "audio_recipe",
    "audio_findings", "waveform",
)  # fmt: skip
_SOURCE_COLUMNS = (
    "duration_seconds", "source_bytes", "source_sha256", "source_codec", "source_sample_rate_hz", "source_channels",
    "source_bitrate_bps",
)  # fmt: skip
_RECORDING_COLUMNS = (
    "recording_id", "bot_id", "bot_name", "platform", "meeting_id", "created_at", "started_at", "completed_at",
    "expires_at", "metadata",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Heard:
    """What listening to an archived MP3 came to: columns of the catalog, and what the verdict needs."""

    listened: Listened
    columns: Mapping[str, Any] = field(default_factory=dict)


def heard_anew(archive: Archive, task: NormalizeTask, published: Published) -> Heard:
    """Return what a normalization found."""
    facts: Normalized = published.facts
    columns: dict[str, Any] = {name: getattr(facts, name) for name in _HEARD_COLUMNS if hasattr(facts, name)}
    columns |= {
        "audio_uri": archive.uri(published.key),
        "audio_recipe": task.target.recipe,
        "audio_findings": "; ".join(facts.findings) or None,
        "waveform": "".join(_BARS[min(int(peak * len(_BARS)), len(_BARS) - 1)] for peak in facts.waveform),
    }
    return Heard(Listened(facts.is_silent, columns["audio_findings"]), columns)


def heard_before(archive: Archive, row: CatalogRow) -> Heard:
    """Return what an earlier sync found and cataloged; the archive may have moved since."""
    columns = {name: getattr(row, name) for name in _HEARD_COLUMNS}
    columns["audio_uri"] = archive.uri(Layout.key_in(row.audio_uri or ""))
    return Heard(Listened(is_silent=row.audio_lufs is None, finding=row.audio_findings), columns)


def heard_still(archive: Archive, row: CatalogRow, error: BaseException | None) -> Heard:
    """Return what an earlier sync found in the same bytes, now that normalizing them anew failed.

    A row without a recipe is one whose file was lost or damaged; it stays so, and the next sync tries again.
    """
    still = "still normalized as before, since" if row.audio_recipe else "the normalized file is lost or damaged, and"
    finding = f"{still} doing it anew failed: {_error_text(error)}"
    return Heard(Listened(is_silent=row.audio_lufs is None, finding=finding), heard_before(archive, row).columns)


def not_heard(error: BaseException | None) -> Heard:
    """Return what a failed normalization comes to."""
    return Heard(Listened(failure=_error_text(error)))


def build_row(
    archive: Archive,
    recording: RecordingRow,
    mp3: MixedAudioRow | None,
    heard: Heard | None,
    before: CatalogRow | None,
    now: datetime,
    unanswered: str | None = None,
) -> CatalogRow:
    """Return the row of a recording and one of its MP3s; `cataloged_at` moves only when something else did.

    `unanswered` says why it is not known whether there is an MP3.
    """
    verdict = decide(recording, mp3, heard.listened if heard else None, now, unanswered)
    reasons = [verdict.reason]
    if verdict.outcome in (Outcome.READY, Outcome.SILENT):
        reasons.append(notable_difference(_recording_seconds(recording), mp3.duration_seconds if mp3 else None))
    columns: dict[str, Any] = {name: getattr(recording, name) for name in _RECORDING_COLUMNS}
    columns |= {name: getattr(mp3, name, None) for name in _SOURCE_COLUMNS}
    columns |= heard.columns if heard else {}
    row = CatalogRow(
        **columns,
        audio_id=mp3.audio_id if mp3 else None,
        source_uri=archive.uri(mp3.source_key) if mp3 and mp3.source_key else None,
        outcome=str(verdict.outcome),
        outcome_reason="; ".join(reason for reason in reasons if reason) or None,
        upstream_status=_upstream_status(recording, mp3),
        recording_seconds=_recording_seconds(recording),
        cataloged_at=before.cataloged_at if before else None,
    )
    return before if row == before else dataclasses.replace(row, cataloged_at=now)


def _error_text(error: BaseException | None) -> str:
    """Say what failed; only this project's own texts are safe to quote."""
    return str(error) if isinstance(error, PipelineError) else f"its process ended with {type(error).__name__}"


def _upstream_status(recording: RecordingRow, mp3: MixedAudioRow | None) -> str | None:
    if recording.is_gone or mp3 is None:
        return recording.status_code
    return mp3.status_code


def _recording_seconds(recording: RecordingRow) -> float | None:
    start = recording.started_at or recording.created_at
    return (recording.completed_at - start).total_seconds() if recording.completed_at else None
