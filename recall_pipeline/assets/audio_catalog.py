"""Asset `audio_catalog`: the table everybody reads, and the normalized audio that it names."""

from collections import Counter

import dagster as dg

from recall_pipeline.assets.mixed_audio import mixed_audio
from recall_pipeline.assets.partitions import DAYS, days_of
from recall_pipeline.assets.reporting import report, table_facts
from recall_pipeline.assets.session import RETRY_TRANSIENT, Session
from recall_pipeline.catalog import CATALOG, Cataloged, catalog_day


@dg.asset(
    partitions_def=DAYS,
    deps=[mixed_audio],
    group_name="recall",
    kinds={"audio", "parquet"},
    retry_policy=RETRY_TRANSIENT,
    description="One row per MP3 and per recording without one, with its outcome; what is `ready` is normalized to one "
    "loudness and format. Transcription starts here.",
)
def audio_catalog(context: dg.AssetExecutionContext, session: dg.ResourceParam[Session]) -> None:
    """Normalize what is new and publish each day of the catalog."""
    for day in days_of(context):
        with session.failing_clearly(), session.archive.lock_day(day):
            cataloged = catalog_day(session.archive, session.settings, day, session.watching(f"{day} normalize"))
        session.tally.normalized += cataloged.normalized
        _tell_failures(context, cataloged)
        report(
            context,
            day,
            table_facts(session.archive, CATALOG, day, len(cataloged.rows)),
            outcomes=dict(Counter(row.outcome for row in cataloged.rows)),
            hours_of_audio=round(sum(row.duration_seconds or 0 for row in cataloged.rows) / 3600, 4),
            normalized=cataloged.normalized,
            audio_bytes=sum(row.audio_bytes or 0 for row in cataloged.rows),
        )


def _tell_failures(context: dg.AssetExecutionContext, cataloged: Cataloged) -> None:
    for row in cataloged.rows:
        if row.outcome == "download_failed":
            context.log.warning("recording %s: %s; tried again at every sync", row.recording_id, row.outcome_reason)
