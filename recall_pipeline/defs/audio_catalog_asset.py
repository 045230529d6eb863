"""Asset `audio_catalog`: the table everybody reads, and the normalized audio that it names."""

import textwrap
from collections import Counter
from collections.abc import Sequence
from datetime import date

import dagster as dg

from recall_pipeline.catalog import CATALOG, CatalogReport, CatalogRow, sync_catalog
from recall_pipeline.defs.metadata import DAILY, OWNERS, TAGS, DayReport, day_report, materialized
from recall_pipeline.defs.mixed_audio_asset import mixed_audio
from recall_pipeline.defs.partitions import DAYS, days_of
from recall_pipeline.defs.run_context import RETRY_TRANSIENT, RunContext
from recall_pipeline.storage import open_day

_SAMPLE_ROWS = 10
_LONGEST_REASON = 80  # characters


@dg.asset(
    partitions_def=DAYS,
    deps=[mixed_audio],
    group_name="recall",
    owners=OWNERS,
    tags=TAGS,
    kinds={"audio", "parquet"},
    retry_policy=RETRY_TRANSIENT,
    freshness_policy=DAILY,
    description="One row per MP3 and per recording without one, with its outcome; what is `ready` is normalized to one "
    "loudness and format. Transcription starts here.",
)
def audio_catalog(
    context: dg.AssetExecutionContext, session: dg.ResourceParam[RunContext]
) -> dg.MaterializeResult[None]:
    """Normalize what is new and publish each day of the catalog."""
    reports: dict[date, DayReport] = {}
    for day in days_of(context):
        with session.as_dagster_failure(), open_day(session.archive, day) as archive_day:
            progress = session.progress_callback(f"{day} normalize")
            cataloged = sync_catalog(archive_day, session.settings, progress, session.refetch)
        session.stats.normalized += cataloged.normalized
        _tell_failures(context, cataloged)
        reports[day] = _catalog_report(session, day, cataloged)
    return materialized(context, reports)


def _catalog_report(session: RunContext, day: date, cataloged: CatalogReport) -> DayReport:
    rows = cataloged.rows
    outcomes = Counter(row.outcome for row in rows)
    return day_report(
        session.archive,
        CATALOG,
        day,
        rows,
        outcomes=dict(outcomes),
        ready=outcomes["ready"],
        left_failed=outcomes["download_failed"],
        hours_of_audio=round(sum(row.duration_seconds or 0 for row in rows) / 3600, 4),
        normalized=cataloged.normalized,
        audio_bytes=sum(row.audio_bytes or 0 for row in rows),
        longest_meeting=_longest(rows),
        sample=_catalog_sample(rows),
    )


def _catalog_sample(rows: Sequence[CatalogRow]) -> dg.TableMetadataValue:
    records = [
        dg.TableRecord(
            {
                "started (UTC)": f"{row.created_at:%H:%M}",
                "recording": row.recording_id[:8],
                "platform": row.platform or "",
                "outcome": row.outcome,
                "seconds": round(row.duration_seconds, 1) if row.duration_seconds else None,
                "why": textwrap.shorten(row.outcome_reason or "", _LONGEST_REASON, placeholder="…"),
            }
        )
        for row in rows[:_SAMPLE_ROWS]
    ]
    names = ("started (UTC)", "recording", "platform", "outcome", "seconds", "why")
    columns = [dg.TableColumn(name, "float" if name == "seconds" else "string") for name in names]
    return dg.MetadataValue.table(records, dg.TableSchema(columns))


def _longest(rows: Sequence[CatalogRow]) -> dg.MarkdownMetadataValue:
    """Draw the day's longest meeting as a strip of sixty bars."""
    heard = [row for row in rows if row.waveform and row.duration_seconds]
    if not heard:
        return dg.MetadataValue.md("nothing to listen to on this day")
    row = max(heard, key=lambda row: row.duration_seconds or 0)
    return dg.MetadataValue.md(f"`{row.waveform}`\n\n{(row.duration_seconds or 0) / 60:.1f} minutes: {row.audio_uri}")


def _tell_failures(context: dg.AssetExecutionContext, cataloged: CatalogReport) -> None:
    for row in cataloged.rows:
        if row.outcome == "download_failed":
            context.log.warning("recording %s: %s; tried again at every sync", row.recording_id, row.outcome_reason)
