"""Asset `bots`: the bots that were to join a meeting on a day."""

import asyncio
from collections import Counter
from datetime import date

import dagster as dg

from recall_pipeline.defs.metadata import DAILY, OWNERS, RECALL_API_POOL, TAGS, DayReport, day_report, materialized
from recall_pipeline.defs.partitions import DAYS, days_of
from recall_pipeline.defs.run_context import RETRY_TRANSIENT, RunContext
from recall_pipeline.discovery import BOTS, BotRow, sync_bots
from recall_pipeline.storage import open_day


@dg.asset(
    partitions_def=DAYS,
    group_name="recall",
    owners=OWNERS,
    tags=TAGS,
    kinds={"recall", "parquet"},
    pool=RECALL_API_POOL,
    retry_policy=RETRY_TRANSIENT,
    freshness_policy=DAILY,
    description="Bots sent to meetings, filed under the UTC day they were to join. One row a bot, updated in place.",
)
def bots(context: dg.AssetExecutionContext, session: dg.ResourceParam[RunContext]) -> dg.MaterializeResult[None]:
    """List the bots of each day and keep their table."""
    reports: dict[date, DayReport] = {}
    for day in days_of(context):
        requests_before = session.stats.api_requests
        with session.as_dagster_failure():
            rows = asyncio.run(_sync_bots(session, day))
        statuses = Counter(row.status or "unknown" for row in rows)
        reports[day] = day_report(
            session.archive,
            BOTS,
            day,
            rows,
            bots_by_status=dict(statuses),
            finished_bots=sum(row.is_finished for row in rows),
            api_requests=session.stats.api_requests - requests_before,
        )
    return materialized(context, reports)


async def _sync_bots(session: RunContext, day: date) -> list[BotRow]:
    async with session.client() as client:
        with open_day(session.archive, day) as archive_day:
            return await sync_bots(archive_day, await session.listings.of(client, day))
