"""Normalize archived audio, derive the outcome of each recording, and write `audio_catalog`.

Belongs here: the columns of `audio_catalog`, the outcomes of docs/design/interface.md as one function, normalizing
what is archived, publishing a day of the catalog and its waveforms, and the readers that others import.
Does not belong here: asking Recall.ai anything. Everything needed is in the archive, so no key is needed either.
Comes in: the rows of `recordings` and `mixed_audio`. Goes out: normalized files and the rows of `audio_catalog`
and `waveforms`.
"""

from typing import TYPE_CHECKING

from recall_pipeline.catalog.findings import FINDINGS, FindingCode
from recall_pipeline.catalog.rows import CATALOG, CatalogRow
from recall_pipeline.catalog.waveforms import WAVEFORMS, WaveformRow, remove_waveforms
from recall_pipeline.lazy_imports import lazy_names

if TYPE_CHECKING:
    from recall_pipeline.catalog.audio_reader import ArchivedRecording, read_recordings
    from recall_pipeline.catalog.audio_targets import SAME_SETTINGS, conflict_in, uses_in, uses_on
    from recall_pipeline.catalog.catalog_reader import read_catalog
    from recall_pipeline.catalog.day_catalog import CatalogReport, sync_catalog
    from recall_pipeline.catalog.day_states import DayState, days_of_tables, read_day_states
    from recall_pipeline.catalog.due_days import DueDay, DueDays, DueReason, days_due, first_day_kept
    from recall_pipeline.catalog.early_normalization import EarlyNormalization
    from recall_pipeline.catalog.normalization import target_of
    from recall_pipeline.catalog.outcome_labels import OUTCOME_LABELS
    from recall_pipeline.catalog.outcomes import (
        AUDIBLE,
        NEWER_VERSION,
        SETTLED,
        Outcome,
        decide,
        is_at_risk,
        is_pending,
    )
    from recall_pipeline.catalog.quality_checks import (
        EXPIRES_SOON,
        Finding,
        byte_mismatches,
        conflicting_deployments,
        damaged_audio,
        duration_differences,
        expiring_soon,
        failed_downloads_left,
        loudness_out_of_tolerance,
        missing_among,
        same_corrupt_bytes,
        schema_mismatch,
    )

__all__ = [
    "AUDIBLE",
    "CATALOG",
    "EXPIRES_SOON",
    "FINDINGS",
    "NEWER_VERSION",
    "OUTCOME_LABELS",
    "SAME_SETTINGS",
    "SETTLED",
    "WAVEFORMS",
    "ArchivedRecording",
    "CatalogReport",
    "CatalogRow",
    "DayState",
    "DueDay",
    "DueDays",
    "DueReason",
    "EarlyNormalization",
    "Finding",
    "FindingCode",
    "Outcome",
    "WaveformRow",
    "byte_mismatches",
    "conflict_in",
    "conflicting_deployments",
    "damaged_audio",
    "days_due",
    "days_of_tables",
    "decide",
    "duration_differences",
    "expiring_soon",
    "failed_downloads_left",
    "first_day_kept",
    "is_at_risk",
    "is_pending",
    "loudness_out_of_tolerance",
    "missing_among",
    "read_catalog",
    "read_day_states",
    "read_recordings",
    "remove_waveforms",
    "same_corrupt_bytes",
    "schema_mismatch",
    "sync_catalog",
    "target_of",
    "uses_in",
    "uses_on",
]

__getattr__ = lazy_names(
    __name__,
    {
        "audio_reader": ("ArchivedRecording", "read_recordings"),
        "audio_targets": ("SAME_SETTINGS", "conflict_in", "uses_in", "uses_on"),
        "catalog_reader": ("read_catalog",),
        "day_catalog": ("CatalogReport", "sync_catalog"),
        "day_states": ("DayState", "days_of_tables", "read_day_states"),
        "due_days": ("DueDay", "DueDays", "DueReason", "days_due", "first_day_kept"),
        "early_normalization": ("EarlyNormalization",),
        "normalization": ("target_of",),
        "outcome_labels": ("OUTCOME_LABELS",),
        "outcomes": ("AUDIBLE", "NEWER_VERSION", "SETTLED", "Outcome", "decide", "is_at_risk", "is_pending"),
        "quality_checks": (
            "EXPIRES_SOON",
            "Finding",
            "byte_mismatches",
            "conflicting_deployments",
            "damaged_audio",
            "duration_differences",
            "expiring_soon",
            "failed_downloads_left",
            "loudness_out_of_tolerance",
            "missing_among",
            "same_corrupt_bytes",
            "schema_mismatch",
        ),
    },
)
