"""Asset `recordings`: the recordings that started on a day."""

import asyncio
from collections import Counter
from datetime import date

import dagster as dg

from recall_pipeline.defs.bots_asset import bots
from recall_pipeline.defs.metadata import OWNERS, RECALL_API_POOL, TAGS, DayReport, day_report, materialized
from recall_pipeline.defs.partitions import DAYS, days_of
from recall_pipeline.defs.run_context import RETRY_TRANSIENT, RunContext
from recall_pipeline.discovery import RECORDINGS, RecordingRow, sync_recordings
from recall_pipeline.recall_api import Listing
from recall_pipeline.storage import open_day


@dg.asset(
    partitions_def=DAYS,
    # Day to day, although a recording's bot may lie in the day before: an offset would split every backfill into a run
    # for `bots` and one for the rest, and add a day. `discovery` looks there by itself.
    deps=[bots],
    group_name="recall",
    owners=OWNERS,
    tags=TAGS,
    kinds={"recall", "parquet"},
    pool=RECALL_API_POOL,
    retry_policy=RETRY_TRANSIENT,
    description="Recordings by the UTC day of their `created_at`. A recording once known keeps its row, whatever "
    "becomes of it at Recall.",
)
def recordings(context: dg.AssetExecutionContext, session: dg.ResourceParam[RunContext]) -> dg.MaterializeResult[None]:
    """List the recordings of each day and keep their table."""
    reports: dict[date, DayReport] = {}
    for day in days_of(context):
        requests_before = session.stats.api_requests
        with session.as_dagster_failure():
            rows, listing = asyncio.run(_sync_recordings(session, day))
        for rejected in listing.rejected:
            context.log.warning("Recall.ai listed something without a usable id, which was left out: %s", rejected)
        reports[day] = day_report(
            session.archive,
            RECORDINGS,
            day,
            rows,
            recordings_by_status=dict(Counter(row.status_code or "unknown" for row in rows)),
            left_out=len(listing.rejected),
            listed_at=dg.MetadataValue.timestamp(listing.listed_at),
            api_requests=session.stats.api_requests - requests_before,
        )
    return materialized(context, reports)


async def _sync_recordings(session: RunContext, day: date) -> tuple[list[RecordingRow], Listing]:
    async with session.client() as client:
        with open_day(session.archive, day) as archive_day:
            upstream = await session.listings.of(client, day)
            return await sync_recordings(archive_day, upstream), upstream.listing
