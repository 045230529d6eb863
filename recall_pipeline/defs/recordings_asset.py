"""Asset `recordings`: the recordings that started on a day."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import date

import dagster as dg

from recall_pipeline.defs.daily_asset import RECALL_API_POOL, daily_asset
from recall_pipeline.defs.failure_log import failure_log
from recall_pipeline.defs.metadata import DayReport, day_report, materialized, page_metadata
from recall_pipeline.defs.names import Names
from recall_pipeline.defs.partitions import days_of
from recall_pipeline.defs.run_context import RunContext
from recall_pipeline.discovery import RECORDINGS, RecordingRow, Unknowns, expired_bots, sync_recordings
from recall_pipeline.recall_api import Listing
from recall_pipeline.restoration import restore_recordings
from recall_pipeline.storage import open_day

_MOST_NAMED = 10


def recordings_asset(names: Names, days: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    """Return the asset `recordings`.

    Its partitions follow those of `bots` day by day, although a recording's bot may belong to the day before. An offset
    would split every backfill into a run for `bots` and one for the rest. `discovery` reads the day before itself.
    """
    return daily_asset(recordings, names, days, upstream="bots", kinds={"recall", "parquet"}, pool=RECALL_API_POOL)


def recordings(context: dg.AssetExecutionContext, run_context: RunContext) -> dg.MaterializeResult[None]:
    """Recordings by the UTC day of their `created_at`. A recording keeps its row, whatever Recall deletes later."""
    reports: dict[date, DayReport] = {}
    with failure_log(context.log, RECORDINGS.name) as failures:
        for day in days_of(context):
            requests_before = run_context.stats.api_requests
            with run_context.as_dagster_failure():
                rows, listing, facts = asyncio.run(_sync_recordings(run_context, day))
            bots_expired, unknowns = expired_bots(facts), Unknowns.of(facts)
            for rejected in listing.rejected:
                failures.report("Recall.ai listed a row that cannot be used and was left out: %s", rejected)
            reports[day] = day_report(
                run_context.archive,
                RECORDINGS,
                day,
                rows,
                recordings_by_status=dict(Counter(row.status_code or "unknown" for row in rows)),
                left_out=len(listing.rejected),
                left_out_rows="; ".join(listing.rejected[:_MOST_NAMED]) or "none",
                bots_expired=len(bots_expired),
                **_unknowns_metadata(unknowns),
                listed_at=dg.MetadataValue.timestamp(listing.listed_at),
                api_requests=run_context.stats.api_requests - requests_before,
                **page_metadata(run_context.settings, day),
            )
    return materialized(context, reports)


async def _sync_recordings(run_context: RunContext, day: date) -> tuple[list[RecordingRow], Listing, Mapping[str, str]]:
    async with run_context.client() as client:
        with open_day(run_context.archive, day) as archive_day:
            restore_recordings(archive_day, run_context.refetch)
            upstream = await run_context.upstream(client, archive_day)
            rows = await sync_recordings(archive_day, upstream, run_context.refetch)
            return rows, upstream.listing, archive_day.require(RECORDINGS).facts


def _unknowns_metadata(unknowns: Unknowns) -> dict[str, str]:
    """Return what Recall.ai sent that this version does not know, with numbers of rows, and what of it is new."""
    counts = {"unknown_to_this_version": ", ".join(f"{name}: {n}" for name, n in unknowns.counts.items()) or "none"}
    return counts | ({"new_at_recall": ", ".join(unknowns.first_seen)} if unknowns.first_seen else {})
