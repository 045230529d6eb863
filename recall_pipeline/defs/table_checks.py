"""The checks of each table: name, description, severity, and what they compare."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from recall_pipeline.catalog import (
    CATALOG,
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
from recall_pipeline.days import utc_now
from recall_pipeline.defs.check_tables import CheckTables
from recall_pipeline.defs.upstream_checks import expired_unseen, unusable_rows
from recall_pipeline.discovery import BOTS, RECORDINGS
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.storage import Table


@dataclass(frozen=True, slots=True)
class TableCheck:
    """One check of a day's tables; `blocking`: a failure keeps the assets downstream from running."""

    name: str
    description: str
    evaluate: Callable[[CheckTables], Finding]
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR
    blocking: bool = False


def _schema_check(table: Table[Any]) -> TableCheck:
    def evaluate(tables: CheckTables) -> Finding:
        stored = tables.stored(table)
        return schema_mismatch(table, stored.columns if stored else None)

    return TableCheck(
        f"{table.name}_schema", "The day's file has exactly the declared columns and types.", evaluate, blocking=True
    )


_BYTES_PROVEN = TableCheck(
    "bytes_proven",
    "Every MP3 has the size that the table states; those of the last sync, the SHA-256 too. "
    "In a bucket, only the sizes of those of the last sync are checked.",
    lambda tables: byte_mismatches(tables.run_context.archive, tables.day, tables.mixed_audio),
)
_NO_BOT_EXPIRED = TableCheck(
    "no_bot_expired_unseen",
    "Every bot was synced before Recall removed its media.",
    lambda tables: expired_unseen(tables.facts),
    dg.AssetCheckSeverity.WARN,
)
_ALL_ROWS_USABLE = TableCheck(
    "all_rows_usable",
    "Every row that Recall listed has a usable id, and every recording a date.",
    lambda tables: unusable_rows(tables.facts),
    dg.AssetCheckSeverity.WARN,
)
_NOTHING_MISSING = TableCheck(
    "nothing_missing",
    "Every recording and every MP3 has its row.",
    lambda tables: missing_among(tables.recordings, tables.mixed_audio, tables.catalog),
)
_NONE_LEFT_FAILED = TableCheck(
    "none_left_failed", "No download is left failed.", lambda tables: failed_downloads_left(tables.catalog)
)
_NONE_ABOUT_TO_EXPIRE = TableCheck(
    "none_about_to_expire",
    "No recording that is not archived expires within two days.",
    lambda tables: expiring_soon(tables.catalog, utc_now()),
)
_CORRUPT_MP3S_DIFFER = TableCheck(
    "corrupt_mp3s_differ",
    "No five corrupt MP3s of a day have the same bytes, as the page of a firewall would.",
    lambda tables: same_corrupt_bytes(tables.catalog),
)
_DURATIONS_AGREE = TableCheck(
    "durations_agree",
    "Decoded lengths agree with the API's times; meetings may pause.",
    lambda tables: duration_differences(tables.catalog),
    dg.AssetCheckSeverity.WARN,
)
_AUDIO_UNDAMAGED = TableCheck(
    "audio_undamaged",
    "Archived MP3s decode to what their own headers promise, and no frames between are damaged.",
    lambda tables: damaged_audio(tables.catalog),
    dg.AssetCheckSeverity.WARN,
)
_LOUDNESS_IN_TOLERANCE = TableCheck(
    "loudness_in_tolerance",
    "Ready files have the target loudness, and no peak is above the ceiling.",
    lambda tables: loudness_out_of_tolerance(tables.catalog, tables.run_context.settings),
    dg.AssetCheckSeverity.WARN,
)

_ONE_AUDIO_TARGET = TableCheck(
    "one_audio_target",
    "No other deployment normalizes the archive with other audio settings.",
    lambda tables: conflicting_deployments(stored.facts if (stored := tables.stored(CATALOG)) else {}, utc_now()),
)

CHECKS: Mapping[str, Sequence[TableCheck]] = {
    "bots": [_schema_check(BOTS)],
    "recordings": [_schema_check(RECORDINGS), _NO_BOT_EXPIRED, _ALL_ROWS_USABLE],
    "mixed_audio": [_schema_check(MIXED_AUDIO), _BYTES_PROVEN],
    "audio_catalog": [
        _schema_check(CATALOG),
        _NOTHING_MISSING,
        _NONE_LEFT_FAILED,
        _NONE_ABOUT_TO_EXPIRE,
        _CORRUPT_MP3S_DIFFER,
        _DURATIONS_AGREE,
        _AUDIO_UNDAMAGED,
        _LOUDNESS_IN_TOLERANCE,
        _ONE_AUDIO_TARGET,
    ],
}
"""The checks by asset."""
