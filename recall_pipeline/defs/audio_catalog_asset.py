"""Asset `audio_catalog`: the outcome of every recording, and the normalized audio."""

import textwrap
from collections import Counter
from collections.abc import Sequence
from datetime import date

import dagster as dg

from recall_pipeline.browse import recording_link
from recall_pipeline.catalog import CATALOG, CatalogReport, CatalogRow, sync_catalog
from recall_pipeline.defs.daily_asset import daily_asset
from recall_pipeline.defs.failure_log import FailureLog, failure_log
from recall_pipeline.defs.metadata import DayReport, day_report, materialized, page_metadata
from recall_pipeline.defs.names import Names
from recall_pipeline.defs.partitions import days_of
from recall_pipeline.defs.run_context import RunContext
from recall_pipeline.defs.run_liveness import deployment_of
from recall_pipeline.settings import Settings
from recall_pipeline.storage import open_day

_SAMPLE_ROWS = 10
_LONGEST_REASON = 80  # characters


def audio_catalog_asset(names: Names, days: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    """Return the asset `audio_catalog`."""
    return daily_asset(audio_catalog, names, days, upstream="mixed_audio", kinds={"audio", "parquet"})


def audio_catalog(context: dg.AssetExecutionContext, run_context: RunContext) -> dg.MaterializeResult[None]:
    """One row per MP3 and per recording without one, with its outcome. `ready` files have one loudness and format."""
    reports: dict[date, DayReport] = {}
    with failure_log(context.log, CATALOG.name) as failures:
        for day in days_of(context):
            with run_context.as_dagster_failure(), open_day(run_context.archive, day) as archive_day:
                progress = run_context.progress_callback(f"{day} normalize")
                cataloged = sync_catalog(
                    archive_day, run_context.settings, progress, run_context.refetch, deployment_of(context.instance)
                )
            normalized = cataloged.normalized + run_context.normalized_early.pop(day, 0)
            run_context.stats.normalized += normalized
            _log_failures(failures, cataloged)
            reports[day] = _catalog_report(run_context, day, cataloged, normalized)
    return materialized(context, reports)


def _catalog_report(run_context: RunContext, day: date, cataloged: CatalogReport, normalized: int) -> DayReport:
    rows = cataloged.rows
    outcomes = Counter(row.outcome for row in rows)
    return day_report(
        run_context.archive,
        CATALOG,
        day,
        rows,
        outcomes=dict(outcomes),
        ready=outcomes["ready"],
        left_failed=outcomes["download_failed"],
        hours_of_audio=round(sum(row.duration_seconds or 0 for row in rows) / 3600, 4),
        normalized=normalized,
        audio_bytes=sum(row.audio_bytes or 0 for row in rows),
        longest_meeting=_longest(run_context.settings, day, rows),
        sample=_catalog_sample(run_context.settings, day, rows),
        **page_metadata(run_context.settings, day),
    )


def _catalog_sample(settings: Settings, day: date, rows: Sequence[CatalogRow]) -> dg.TableMetadataValue:
    records = [
        dg.TableRecord(
            {
                "started (UTC)": f"{row.created_at:%H:%M}",
                "recording": row.recording_id[:8],
                "platform": row.platform or "",
                "outcome": row.outcome,
                "seconds": round(row.duration_seconds, 1) if row.duration_seconds else None,
                "why": textwrap.shorten(row.outcome_reason or "", _LONGEST_REASON, placeholder="…"),
                **({"page": recording_link(settings.page_url, day, row.recording_id)} if settings.page_url else {}),
            }
        )
        for row in rows[:_SAMPLE_ROWS]
    ]
    names = ["started (UTC)", "recording", "platform", "outcome", "seconds", "why"]
    names += ["page"] if settings.page_url else []
    columns = [dg.TableColumn(name, "float" if name == "seconds" else "string") for name in names]
    return dg.MetadataValue.table(records, dg.TableSchema(columns))


def _longest(settings: Settings, day: date, rows: Sequence[CatalogRow]) -> dg.MarkdownMetadataValue:
    """Draw the day's longest meeting as a strip of sixty bars."""
    audible = [row for row in rows if row.waveform and row.duration_seconds]
    if not audible:
        return dg.MetadataValue.md("no audio on this day")
    row = max(audible, key=lambda row: row.duration_seconds or 0)
    listen = f" ([listen]({recording_link(settings.page_url, day, row.recording_id)}))" if settings.page_url else ""
    minutes = (row.duration_seconds or 0) / 60
    return dg.MetadataValue.md(f"`{row.waveform}`\n\n{minutes:.1f} minutes: {row.audio_uri}{listen}")


def _log_failures(failures: FailureLog, cataloged: CatalogReport) -> None:
    for row in cataloged.rows:
        if row.outcome == "download_failed":
            failures.report("recording %s: %s; tried again at every sync", row.recording_id, row.outcome_reason)
