"""Capture a day's MP3s: what is not settled, soonest to expire first, a few at a time."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice

import httpx
from pydantic import SecretStr

from recall_pipeline.days import utc_now
from recall_pipeline.download.checkpoints import Checkpoints
from recall_pipeline.download.decode_check import DecodeCheck, DecodeChecker
from recall_pipeline.download.partials import Partial, Unfinished, sweep_partials, unfinished
from recall_pipeline.download.recovery import find_published, recently_unavailable
from recall_pipeline.download.rows import ARCHIVED, CORRUPT, MixedAudioRow
from recall_pipeline.download.transfer import TIMEOUT, Transfer
from recall_pipeline.download.versions import publish_version
from recall_pipeline.errors import LinkExpired, RecallError, StorageError, TransferError, TransferRefused
from recall_pipeline.progress import Progress, no_progress
from recall_pipeline.recall_api import AudioMixed, RecallClient
from recall_pipeline.redaction import redact_http_logs
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive

_FAR_FUTURE = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DownloadReport:
    """What a day's capture came to, and what is left in the spool of downloads that go on next time."""

    rows: list[MixedAudioRow]
    downloaded: int
    reused: int
    bytes_downloaded: int
    unfinished: Unfinished


@dataclass(frozen=True, slots=True)
class DownloadPlan:
    """What to look at besides the unsettled, and when recordings expire, by recording id."""

    expires_at: Mapping[str, datetime | None]
    again: frozenset[str] = frozenset()

    def includes(self, row: MixedAudioRow) -> bool:
        """Whether the row's bytes are to be fetched now."""
        return row.is_offered and (not row.is_settled or row.recording_id in self.again)

    def urgency(self, row: MixedAudioRow) -> tuple[datetime, datetime]:
        """Sort key: what expires soonest comes first."""
        return self.expires_at.get(row.recording_id) or _FAR_FUTURE, row.created_at or _FAR_FUTURE


async def download_day(
    client: RecallClient,
    archive: Archive,
    settings: Settings,
    day: date,
    rows: Sequence[MixedAudioRow],
    artifacts: Mapping[str, AudioMixed],
    plan: DownloadPlan,
    progress: Progress = no_progress,
) -> DownloadReport:
    """Fetch, prove and publish what `wanted` includes, one never stopping another; return every row with its state."""
    current = {row.audio_id: row for row in rows}
    queue = sorted(filter(plan.includes, rows), key=plan.urgency)
    async with _open_transfer(settings) as transfer, DecodeChecker() as checker:
        capture = _Capture(client, archive, transfer, checker, day)
        capture.forget_partials(row for row in rows if not plan.includes(row))
        sweep_partials(archive.staging_folder)
        for row in recently_unavailable(archive, day, rows):
            current[row.audio_id] = await capture.recovered(row)
        with Checkpoints(archive, day, current, len(queue)) as archive_state:
            async with contextlib.aclosing(capture.each(queue, artifacts, settings.concurrency)) as results:
                async for row in results:
                    archive_state.put(row)
                    progress(archive_state.done, len(queue))
        received = transfer.bytes_received
    fetched = {row.audio_id for row in queue if current[row.audio_id].fetch_failure is None}
    reused = sum(row.state == ARCHIVED and row.audio_id not in fetched for row in current.values())
    return DownloadReport(list(current.values()), len(fetched), reused, received, unfinished(archive.staging_folder))


@contextlib.asynccontextmanager
async def _open_transfer(settings: Settings) -> AsyncIterator[Transfer]:
    redact_http_logs()
    limits = httpx.Limits(max_connections=settings.concurrency, max_keepalive_connections=settings.concurrency)
    async with httpx.AsyncClient(timeout=TIMEOUT, limits=limits, follow_redirects=False) as http:
        yield Transfer(http, settings)


@dataclass(frozen=True, slots=True)
class _Capture:
    """The parts that capturing one MP3 takes."""

    client: RecallClient
    archive: Archive
    transfer: Transfer
    checker: DecodeChecker
    day: date

    def forget_partials(self, rows: Iterable[MixedAudioRow]) -> None:
        """Remove what earlier syncs left of downloads that nobody will finish."""
        for row in rows:
            self._partial(row).discard()

    async def each(
        self, queue: Sequence[MixedAudioRow], artifacts: Mapping[str, AudioMixed], at_once: int
    ) -> AsyncGenerator[MixedAudioRow, None]:
        """Yield the rows of `queue` as they are done, `at_once` of them on their way."""
        waiting = iter(queue)
        done: set[asyncio.Task[MixedAudioRow]] = set()
        running = {self._task(row, artifacts) for row in islice(waiting, at_once)}
        try:
            while running:
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                running |= {self._task(row, artifacts) for row in islice(waiting, len(done))}
                for task in done:
                    yield task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*done, *running, return_exceptions=True)

    def _task(self, row: MixedAudioRow, artifacts: Mapping[str, AudioMixed]) -> asyncio.Task[MixedAudioRow]:
        artifact = artifacts.get(row.audio_id)
        return asyncio.create_task(self.row(row, artifact.download_url if artifact else None))

    async def recovered(self, row: MixedAudioRow) -> MixedAudioRow:
        """Return the row of an MP3 that is offered no more, with what a killed sync brought home of it."""
        try:
            found = await find_published(self.archive, self.day, row, self.checker)
        except (TransferError, StorageError) as fault:  # says nothing of the bytes: as it was, so looked for again
            if isinstance(fault, StorageError) and not fault.is_out_of_space:
                raise
            return dataclasses.replace(row, status_code="done", has_url=True, fetch_failure=str(fault))
        return _with_check(row, *found) if found else row

    async def row(self, row: MixedAudioRow, url: SecretStr | None) -> MixedAudioRow:
        """Return the row with what became of its bytes; without a URL, one is asked for."""
        self.archive.open_staging_folder()
        partial = self._partial(row)
        try:
            check = await self._fetch(url, row.audio_id, partial)
            if check.fault is not None:
                check = await self._fetch_again(row.audio_id, partial, check)
            if check.fault is not None and row.state == ARCHIVED and row.is_settled:
                raise TransferRefused(f"looked at again, and what is served now is no good: {check.fault}")
            key = await asyncio.to_thread(publish_version, self.archive, self.day, row, partial.path, check.sha256)
            partial.discard()
        except StorageError as fault:
            if not fault.is_out_of_space:
                raise  # all others would fail too, after they were fetched
            return dataclasses.replace(row, fetch_failure=str(fault))
        except (TransferError, RecallError) as fault:
            if not fault.retry_can_help:
                partial.discard()
            return dataclasses.replace(row, fetch_failure=str(fault))
        return _with_check(row, check, key)

    def _partial(self, row: MixedAudioRow) -> Partial:
        return Partial.of(self.archive.staging_folder, row.audio_id)

    async def _fetch(self, url: SecretStr | None, audio_id: str, partial: Partial) -> DecodeCheck:
        await self.transfer.fetch(url or await self._fresh_url(audio_id), lambda: self._fresh_url(audio_id), partial)
        return await self.checker.check_file(partial.path)

    async def _fetch_again(self, audio_id: str, partial: Partial, first: DecodeCheck) -> DecodeCheck:
        """Fetch the whole body once more from a fresh URL: the same bytes are the artifact's own, good or not."""
        partial.discard()
        second = await self._fetch(None, audio_id, partial)
        if second.fault is None or second.sha256 == first.sha256:
            return second
        partial.discard()
        raise TransferError(f"two downloads differ, and neither is whole audio: {second.fault}")

    async def _fresh_url(self, audio_id: str) -> SecretStr:
        artifact = await self.client.audio_mixed_by_id(audio_id)
        if artifact is None or artifact.download_url is None:
            raise LinkExpired("Recall offers no download any more")
        return artifact.download_url


def _with_check(row: MixedAudioRow, check: DecodeCheck, key: str) -> MixedAudioRow:
    """Return the row after its bytes were published; corrupt ones do not displace an earlier good version."""
    looked_at = dataclasses.replace(
        row, fault=check.fault, fetch_failure=None, captured_updated_at=row.updated_at, captured_at=utc_now()
    )
    if check.fault and row.state == ARCHIVED:
        return looked_at
    proof = check.proof
    return dataclasses.replace(
        looked_at,
        state=CORRUPT if check.fault else ARCHIVED,
        source_key=key,
        source_bytes=check.size_bytes,
        source_sha256=check.sha256,
        source_codec=proof.codec if proof else None,
        source_sample_rate_hz=proof.sample_rate_hz if proof else None,
        source_channels=proof.channels if proof else None,
        source_bitrate_bps=proof.bitrate_bps if proof else None,
        header_seconds=proof.header_seconds if proof else None,
        duration_seconds=proof.duration_seconds if proof else None,
        bad_packets=proof.bad_packets if proof else None,
    )
