"""Asset `mixed_audio`: the mixed-audio MP3s of a day's recordings, byte for byte."""

import asyncio
from datetime import date

import dagster as dg

from recall_pipeline.catalog import EarlyNormalization
from recall_pipeline.defs.daily_asset import RECALL_API_POOL, daily_asset
from recall_pipeline.defs.failure_log import failure_log
from recall_pipeline.defs.metadata import DayReport, day_report, materialized, page_metadata
from recall_pipeline.defs.names import Names
from recall_pipeline.defs.partitions import days_of
from recall_pipeline.defs.run_context import RunContext
from recall_pipeline.download import MIXED_AUDIO, DownloadReport, sync_mp3s
from recall_pipeline.restoration import restore_mp3s
from recall_pipeline.storage import open_day


def mixed_audio_asset(names: Names, days: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    """Return the asset `mixed_audio`."""
    catalog = names.asset("audio_catalog")

    def mixed_audio(context: dg.AssetExecutionContext, run_context: RunContext) -> dg.MaterializeResult[None]:
        is_cataloged_next = catalog in context.job_def.asset_layer.selected_asset_keys
        return _mixed_audio(context, run_context, is_cataloged_next=is_cataloged_next)

    mixed_audio.__doc__ = _mixed_audio.__doc__
    return daily_asset(mixed_audio, names, days, upstream="recordings", kinds={"recall", "mp3"}, pool=RECALL_API_POOL)


def _mixed_audio(
    context: dg.AssetExecutionContext, run_context: RunContext, *, is_cataloged_next: bool
) -> dg.MaterializeResult[None]:
    """Mixed-audio MP3s as Recall served them: size, decode and SHA-256 are checked before a file is published.

    Downloads only new and changed MP3s, those that expire soonest first.
    """
    reports: dict[date, DayReport] = {}
    with failure_log(context.log, MIXED_AUDIO.name) as failures:
        for day in days_of(context):
            requests_before = run_context.stats.api_requests
            with run_context.as_dagster_failure():
                captured = asyncio.run(_sync_mp3s(run_context, day, is_cataloged_next=is_cataloged_next))
            for row in captured.rows:
                if row.fetch_failure:
                    failures.report("recording %s, MP3 %s: %s", row.recording_id, row.audio_id, row.fetch_failure)
            reports[day] = _mp3_report(run_context, day, captured, run_context.stats.api_requests - requests_before)
    return materialized(context, reports)


def _mp3_report(run_context: RunContext, day: date, captured: DownloadReport, api_requests: int) -> DayReport:
    return day_report(
        run_context.archive,
        MIXED_AUDIO,
        day,
        captured.rows,
        downloaded=captured.downloaded,
        reused=captured.reused,
        failed=sum(row.fetch_failure is not None for row in captured.rows),
        bytes_downloaded=captured.bytes_downloaded,
        partial_files=captured.unfinished.files,
        partial_bytes=captured.unfinished.size_bytes,
        archived_bytes=sum(row.source_bytes or 0 for row in captured.rows),
        api_requests=api_requests,
        **page_metadata(run_context.settings, day),
    )


async def _sync_mp3s(run_context: RunContext, day: date, *, is_cataloged_next: bool) -> DownloadReport:
    """Download the day; if the same run catalogs it next, normalize what it decodes anyway."""
    progress = run_context.progress_callback(f"{day} download")
    async with run_context.client() as client:
        with open_day(run_context.archive, day) as archive_day:
            restore_mp3s(archive_day, run_context.refetch)
            upstream = await run_context.upstream(client, archive_day)
            settings, refetch = run_context.settings, run_context.refetch
            early = EarlyNormalization(archive_day, settings, refetch) if is_cataloged_next else None
            report = await sync_mp3s(archive_day, upstream, settings, refetch, progress, early, run_context.breakers)
            run_context.normalized_early[day] = early.normalized if early else 0
    run_context.listings.release(day)  # no later step asks for it
    run_context.stats.downloaded += report.downloaded
    run_context.stats.reused += report.reused
    run_context.stats.bytes_downloaded += report.bytes_downloaded
    return report
