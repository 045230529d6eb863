"""Asset `mixed_audio`: the mixed-audio MP3s of a day's recordings, byte for byte."""

import asyncio
from datetime import date

import dagster as dg

from recall_pipeline.assets.partitions import DAYS, days_of
from recall_pipeline.assets.recordings import recordings
from recall_pipeline.assets.reporting import OWNERS, RECALL_API_POOL, TAGS, DayReport, day_report, materialized
from recall_pipeline.assets.session import RETRY_TRANSIENT, Session
from recall_pipeline.capture import MIXED_AUDIO, Captured, Wanted, capture_day, find_artifacts
from recall_pipeline.capture.questions import unanswered_in
from recall_pipeline.discovery import RECORDINGS


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
def mixed_audio(context: dg.AssetExecutionContext, session: dg.ResourceParam[Session]) -> dg.MaterializeResult[None]:
    """Bring home what each day's recordings have and the archive has not."""
    reports: dict[date, DayReport] = {}
    for day in days_of(context):
        requests_before = session.tally.api_requests
        with session.failing_clearly():
            captured = asyncio.run(_sync(session, day))
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
            api_requests=session.tally.api_requests - requests_before,
        )
    return materialized(context, reports)


async def _sync(session: Session, day: date) -> Captured:
    archive, settings = session.archive, session.settings
    recordings_of_day = RECORDINGS.read(archive, day) or []
    wanted = Wanted({row.recording_id: row.expires_at for row in recordings_of_day}, session.again)
    async with session.client() as client:
        with archive.lock_day(day):
            listing = await session.listings.of(client, day)
            rows, artifacts = await find_artifacts(client, listing, archive, day, recordings_of_day)
            captured = await capture_day(
                client, archive, settings, day, rows, artifacts, wanted, session.watching(f"{day} download")
            )
            MIXED_AUDIO.write(archive, day, captured.rows, unanswered_in(listing, recordings_of_day))
    session.listings.let_go(day)  # no later step asks for it
    session.tally.downloaded += captured.downloaded
    session.tally.reused += captured.reused
    session.tally.bytes_downloaded += captured.bytes_downloaded
    return captured
