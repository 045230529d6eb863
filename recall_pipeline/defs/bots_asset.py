"""Asset `bots`: the bots that were to join a meeting on a day."""

import asyncio
from collections import Counter
from datetime import date

import dagster as dg

from recall_pipeline.audit import erased_in
from recall_pipeline.defs.daily_asset import RECALL_API_POOL, daily_asset
from recall_pipeline.defs.metadata import DayReport, day_report, materialized, page_metadata
from recall_pipeline.defs.names import Names
from recall_pipeline.defs.partitions import days_of
from recall_pipeline.defs.run_context import RunContext
from recall_pipeline.discovery import BOTS, BotRow, sync_bots
from recall_pipeline.erasure import finish_erasures
from recall_pipeline.storage import open_day


def bots_asset(names: Names, days: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    """Return the asset `bots`."""
    return daily_asset(bots, names, days, kinds={"recall", "parquet"}, pool=RECALL_API_POOL)


def bots(context: dg.AssetExecutionContext, run_context: RunContext) -> dg.MaterializeResult[None]:
    """Bots that were sent to meetings, by the UTC day of their `join_at`. One row per bot, updated in place."""
    reports: dict[date, DayReport] = {}
    for day in days_of(context):
        requests_before = run_context.stats.api_requests
        with run_context.as_dagster_failure():
            rows = asyncio.run(_sync_bots(run_context, day))
        statuses = Counter(row.status or "unknown" for row in rows)
        reports[day] = day_report(
            run_context.archive,
            BOTS,
            day,
            rows,
            bots_by_status=dict(statuses),
            finished_bots=sum(row.is_finished for row in rows),
            api_requests=run_context.stats.api_requests - requests_before,
            **page_metadata(run_context.settings, day),
        )
    return materialized(context, reports)


async def _sync_bots(run_context: RunContext, day: date) -> list[BotRow]:
    async with run_context.client() as client:
        with open_day(run_context.archive, day) as archive_day:
            rows = await sync_bots(archive_day, await run_context.upstream(client, archive_day))
            erased = erased_in(archive_day)
    if erased.recordings or erased.bots:  # another host may have stored their data again
        finish_erasures(run_context.archive, day)
    return rows
