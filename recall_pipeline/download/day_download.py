"""Download a day's MP3s: what is not settled, soonest to expire first, a few at a time."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from pydantic import SecretStr

from recall_pipeline.days import utc_now
from recall_pipeline.discovery import RECORDINGS
from recall_pipeline.download.artifacts import find_artifacts
from recall_pipeline.download.checkpoints import Checkpoints, write_rows
from recall_pipeline.download.early_normalizer import EarlyNormalizer
from recall_pipeline.download.host_breakers import HostBreakers
from recall_pipeline.download.one_download import Downloader, open_downloader
from recall_pipeline.download.partials import Unfinished, sweep_partials, unfinished
from recall_pipeline.download.recovery import recently_unavailable
from recall_pipeline.download.rows import ARCHIVED, MIXED_AUDIO, MixedAudioRow
from recall_pipeline.errors import MediaHostDown
from recall_pipeline.progress import Progress, no_progress
from recall_pipeline.recall_api import Upstream
from recall_pipeline.settings import Settings
from recall_pipeline.storage import ArchiveDay

_FAR_FUTURE = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DownloadReport:
    """The rows of a day after its downloads, what was done, and the partial files that the next sync resumes."""

    rows: list[MixedAudioRow]
    downloaded: int
    reused: int
    bytes_downloaded: int
    unfinished: Unfinished


@dataclass(frozen=True, slots=True)
class DownloadPlan:
    """Which MP3s to download, and in which order: `expires_at` by recording id, `refetch` whatever their state.

    `is_past_retention`: none, because retention would erase them again.
    """

    expires_at: Mapping[str, datetime | None]
    refetch: frozenset[str] = frozenset()
    is_past_retention: bool = False

    def includes(self, row: MixedAudioRow) -> bool:
        """Whether the row's MP3 is to be downloaded now."""
        is_wanted = not row.is_settled or row.recording_id in self.refetch
        return row.is_offered and is_wanted and not self.is_past_retention

    def urgency(self, row: MixedAudioRow) -> tuple[datetime, datetime]:
        """Sort key: what expires soonest comes first."""
        return self.expires_at.get(row.recording_id) or _FAR_FUTURE, row.created_at or _FAR_FUTURE


async def sync_mp3s(
    day: ArchiveDay,
    upstream: Upstream,
    settings: Settings,
    refetch: frozenset[str] = frozenset(),
    progress: Progress = no_progress,
    early: EarlyNormalizer | None = None,
    breakers: HostBreakers | None = None,
) -> DownloadReport:
    """Download what is new or changed of a day, and write the table `mixed_audio`.

    A failed download never stops another one. `refetch` names recordings whose MP3s are fetched whatever their state.
    `early` normalizes MP3s while they are checked. Of a day that is older than RECALL_RETENTION_DAYS nothing is
    downloaded. `breakers` are shared by the days and the retries of a run. Raises TableMissing when the day has no
    table `recordings`, RecallError when the service does not answer, StorageError when the archive fails, and
    MediaHostDown when a media host fails for every download: what is left is not fetched yet, and downloads from other
    hosts are completed before.
    """
    breakers = breakers or HostBreakers()
    breakers.begin()
    expires_at = {row.recording_id: row.expires_at for row in day.require(RECORDINGS).rows}
    plan = DownloadPlan(expires_at, refetch, settings.is_past_retention(day.day, utc_now().date()))
    filed = day.rows(MIXED_AUDIO)
    rows, urls = await find_artifacts(day, upstream, refetch)
    current = {row.audio_id: row for row in rows}
    queue = sorted(filter(plan.includes, rows), key=plan.urgency)
    async with open_downloader(upstream.client, day.archive, settings, day.day, breakers, early) as downloader:
        _discard_partials(downloader, [row for row in rows if not plan.includes(row)])
        for row in recently_unavailable(filed, rows):
            current[row.audio_id] = await downloader.recover(row)
        passed_over: list[MediaHostDown] = []
        with Checkpoints(day, current, len(queue)) as checkpoints:
            async with contextlib.aclosing(_each(downloader, queue, urls, settings.concurrency)) as finished:
                async for row_or_fault in finished:
                    if isinstance(row_or_fault, MediaHostDown):
                        passed_over.append(row_or_fault)
                        continue
                    checkpoints.put(row_or_fault)
                    progress(checkpoints.done, len(queue))
        received = downloader.transfer.bytes_received
    current |= {row.audio_id: row for row in queue if row.audio_id in breakers.failing}  # without their failures
    write_rows(day, current.values(), after_download=bool(queue))
    if passed_over:
        waiting = len({row.audio_id for row in queue if current[row.audio_id] is row})
        raise MediaHostDown(f"{waiting} of {len(queue)} MP3s of {day.day} are not fetched yet: {passed_over[0]}")
    downloaded = {row.audio_id for row in queue if current[row.audio_id].fetch_failure is None}
    reused = sum(row.state == ARCHIVED and row.audio_id not in downloaded for row in current.values())
    left = unfinished(day.archive.staging_folder)
    return DownloadReport(list(day.rows(MIXED_AUDIO)), len(downloaded), reused, received, left)


def _discard_partials(downloader: Downloader, rows: Sequence[MixedAudioRow]) -> None:
    """Remove partial files that no download will resume: of `rows`, and those that are a week old."""
    for row in rows:
        downloader.partial(row).discard()
    sweep_partials(downloader.archive.staging_folder)


async def _each(
    downloader: Downloader, queue: Sequence[MixedAudioRow], urls: Mapping[str, SecretStr], at_once: int
) -> AsyncGenerator[MixedAudioRow | MediaHostDown, None]:
    """Yield the rows of `queue` as their downloads end, `at_once` of them running.

    Instead of a row that a breaker does not let through its MediaHostDown is yielded.
    """

    def start(row: MixedAudioRow) -> asyncio.Task[MixedAudioRow]:
        return asyncio.create_task(downloader.download(row, urls.get(row.audio_id)))

    waiting = iter(queue)
    done: set[asyncio.Task[MixedAudioRow]] = set()
    running = {start(row) for row in islice(waiting, at_once)}
    try:
        while running:
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            running |= {start(row) for row in islice(waiting, len(done))}
            for task in done:
                fault = task.exception()
                yield fault if isinstance(fault, MediaHostDown) else task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*done, *running, return_exceptions=True)
