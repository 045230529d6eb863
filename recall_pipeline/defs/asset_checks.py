"""Asset checks, a view for each day: what must be true of a day's tables and files, and how bad it is when it is not.

A table with a wrong schema blocks what comes after it. The rest informs: one bad recording never stops the others.
"""

import warnings
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import dagster as dg

from recall_pipeline.catalog import (
    CATALOG,
    Finding,
    byte_mismatches,
    duration_differences,
    expiring_soon,
    failed_downloads_left,
    loudness_out_of_tolerance,
    missing_rows,
    schema_mismatch,
)
from recall_pipeline.days import utc_now
from recall_pipeline.defs.audio_catalog_asset import audio_catalog
from recall_pipeline.defs.bots_asset import bots
from recall_pipeline.defs.mixed_audio_asset import mixed_audio
from recall_pipeline.defs.partitions import DAYS
from recall_pipeline.defs.recordings_asset import recordings
from recall_pipeline.defs.run_context import RunContext
from recall_pipeline.discovery import BOTS, RECORDINGS
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.storage import Table

_ERROR, _WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN
Look = Callable[[RunContext, date], Finding]


def _check(
    asset: dg.AssetsDefinition, name: str, description: str, severity: dg.AssetCheckSeverity, look: Look,
    *, blocking: bool = False,
) -> dg.AssetChecksDefinition:  # fmt: skip
    """Make the check `name` of `asset` from a look at one day; a range is looked at day by day, and told as one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # partitions of checks; tried in test_checks.py

        @dg.asset_check(asset=asset, name=name, description=description, partitions_def=DAYS, blocking=blocking)
        def check(context: dg.AssetCheckExecutionContext, session: dg.ResourceParam[RunContext]) -> dg.AssetCheckResult:
            days = [date.fromisoformat(key) for key in context.partition_keys]
            with session.as_dagster_failure():
                return _result({day: look(session, day) for day in days}, severity)

    return check


def _result(findings: Mapping[date, Finding], severity: dg.AssetCheckSeverity) -> dg.AssetCheckResult:
    problems = {day: finding for day, finding in findings.items() if not finding.passed}
    count = sum(len(finding.problems) for finding in problems.values())
    looked_at = sum(finding.looked_at for finding in findings.values())
    metadata: dict[str, int | str] = {"looked_at": looked_at, "problems": count}
    description = None
    if problems:
        telling = next(iter(problems.values()))
        description = f"{count} of {looked_at}: {telling.sample}. Next: {telling.next_action}."
        metadata["next_action"] = telling.next_action
    if problems and len(findings) > 1:  # Dagster files the result of a range under none of its days
        metadata["days"] = ", ".join(map(str, problems))
    return dg.AssetCheckResult(passed=not problems, severity=severity, description=description, metadata=metadata)


def _schema_check(asset: dg.AssetsDefinition, table: Table[Any]) -> dg.AssetChecksDefinition:
    return _check(
        asset,
        f"{table.name}_schema",
        "The day's file has exactly the declared columns and types.",
        _ERROR,
        lambda session, day: schema_mismatch(session.archive, table, day),
        blocking=True,
    )


checks = [
    _schema_check(bots, BOTS),
    _schema_check(recordings, RECORDINGS),
    _schema_check(mixed_audio, MIXED_AUDIO),
    _schema_check(audio_catalog, CATALOG),
    _check(
        mixed_audio,
        "bytes_proven",
        "Every MP3 has the size that the table states; those just captured, the SHA-256 too. "
        "In a bucket, it is the sizes of those just captured.",
        _ERROR,
        lambda session, day: byte_mismatches(session.archive, day),
    ),
    _check(
        audio_catalog,
        "nothing_missing",
        "Every recording and every MP3 that is known has its row.",
        _ERROR,
        lambda session, day: missing_rows(session.archive, day),
    ),
    _check(
        audio_catalog,
        "none_left_failed",
        "No download is left failed.",
        _ERROR,
        lambda session, day: failed_downloads_left(session.archive, day),
    ),
    _check(
        audio_catalog,
        "none_about_to_expire",
        "No recording that is not archived expires within two days.",
        _ERROR,
        lambda session, day: expiring_soon(session.archive, day, utc_now()),
    ),
    _check(
        audio_catalog,
        "durations_agree",
        "Decoded lengths agree with the API's times; meetings may pause.",
        _WARN,
        lambda session, day: duration_differences(session.archive, day),
    ),
    _check(
        audio_catalog,
        "loudness_in_tolerance",
        "What is ready has the loudness asked for, and no peak passes the ceiling.",
        _WARN,
        lambda session, day: loudness_out_of_tolerance(session.archive, session.settings, day),
    ),
]
