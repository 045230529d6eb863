"""Asset `mixed_audio`: the mixed-audio MP3s of a day's recordings, byte for byte."""

import asyncio
from datetime import date

import dagster as dg

from recall_pipeline.defs.metadata import OWNERS, RECALL_API_POOL, TAGS, DayReport, day_report, materialized
from recall_pipeline.defs.partitions import DAYS, days_of
from recall_pipeline.defs.recordings_asset import recordings
from recall_pipeline.defs.run_context import RETRY_TRANSIENT, RunContext
from recall_pipeline.download import MIXED_AUDIO, DownloadReport, sync_mp3s
from recall_pipeline.storage import open_day


@dg.asset(
    partitions_def=DAYS,
    deps=[recordings],
    group_name="recall",
    owners=OWNERS,
    tags=TAGS,
    kinds={"recall", "mp3"},
    pool=RECALL_API_POOL,
    retry_policy=RETRY_TRANSIENT,
    description="Mixed-audio MP3s as Recall served them: counted, decoded and hashed before they get a name. "
    "Fetches only what is new or changed, soonest to expire first.",
)
def mixed_audio(context: dg.AssetExecutionContext, session: dg.ResourceParam[RunContext]) -> dg.MaterializeResult[None]:
    """Bring home what each day's recordings have and the archive has not."""
    reports: dict[date, DayReport] = {}
    for day in days_of(context):
        requests_before = session.stats.api_requests
        with session.as_dagster_failure():
            captured = asyncio.run(_sync_mp3s(session, day))
        failed = [row for row in captured.rows if row.fetch_failure]
        for row in failed:
            context.log.warning("recording %s, MP3 %s: %s", row.recording_id, row.audio_id, row.fetch_failure)
        reports[day] = day_report(
            session.archive,
            MIXED_AUDIO,
            day,
            captured.rows,
            downloaded=captured.downloaded,
            reused=captured.reused,
            failed=len(failed),
            bytes_downloaded=captured.bytes_downloaded,
            partial_files=captured.unfinished.files,
            partial_bytes=captured.unfinished.size_bytes,
            archived_bytes=sum(row.source_bytes or 0 for row in captured.rows),
            api_requests=session.stats.api_requests - requests_before,
        )
    return materialized(context, reports)


async def _sync_mp3s(session: RunContext, day: date) -> DownloadReport:
    progress = session.progress_callback(f"{day} download")
    async with session.client() as client:
        with open_day(session.archive, day) as archive_day:
            upstream = await session.listings.of(client, day)
            report = await sync_mp3s(archive_day, upstream, session.settings, session.refetch, progress)
    session.listings.release(day)  # no later step asks for it
    session.stats.downloaded += report.downloaded
    session.stats.reused += report.reused
    session.stats.bytes_downloaded += report.bytes_downloaded
    return report
