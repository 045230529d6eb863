"""Download one MP3: fetch, decode check, publish. Bytes that do not decode are fetched a second time."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date

from pydantic import SecretStr

from recall_pipeline.days import utc_now
from recall_pipeline.download.decode_check import DecodeCheck, DecodeChecker
from recall_pipeline.download.early_normalizer import EarlyNormalizer, NormalizeFile
from recall_pipeline.download.host_breakers import HostBreakers
from recall_pipeline.download.media_requests import media_client
from recall_pipeline.download.partials import Partial
from recall_pipeline.download.recovery import find_published
from recall_pipeline.download.rows import ARCHIVED, CORRUPT, MixedAudioRow
from recall_pipeline.download.transfer import Transfer
from recall_pipeline.download.versions import publish_version
from recall_pipeline.errors import LinkExpired, RecallError, StorageError, TransferError, TransferRefused
from recall_pipeline.recall_api import RecallClient
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive

_MOST_COMPARED = 4  # downloads of one body whose length nothing promises
_HEADER_TOLERANCE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class _Body:
    """The body of an artifact while it is fetched: its partial file, and what normalizes it in place of a decode."""

    audio_id: str
    partial: Partial
    normalize: NormalizeFile | None


@dataclass(frozen=True, slots=True)
class Downloader:
    """Downloads the MP3s of one day, each by itself."""

    client: RecallClient
    archive: Archive
    transfer: Transfer
    checker: DecodeChecker
    day: date
    early: EarlyNormalizer | None = None

    async def download(self, row: MixedAudioRow, url: SecretStr | None) -> MixedAudioRow:
        """Return the row with the result of its download; without `url`, a fresh one is requested.

        A failure that concerns this MP3 alone is stored in the row. Raises StorageError when the archive fails, and
        MediaHostDown when the media host does.
        """
        self.archive.open_staging_folder()
        if self.early is None:
            return (await self._download(row, url, None))[0]
        with self.early.staged(row) as staged:
            task = self.early.task(staged) if staged else None
            done, check = await self._download(row, url, task)
            if staged and check and check.normalized and done.state == ARCHIVED:
                await asyncio.to_thread(self.early.publish, done, staged, check.normalized)
        return done

    async def _download(
        self, row: MixedAudioRow, url: SecretStr | None, normalize: NormalizeFile | None
    ) -> tuple[MixedAudioRow, DecodeCheck | None]:
        """Return the row with the result of its download, and the check of the bytes that were published."""
        partial = self.partial(row)
        body = _Body(row.audio_id, partial, normalize)
        try:
            check = await self._fetch(url, body)
            if check.fault is not None:
                check = await self._fetch_again(body, check)
            if check.fault is not None and row.state == ARCHIVED and row.is_settled:
                raise TransferRefused(f"fetched again, and what Recall.ai serves now is not whole: {check.fault}")
            key = await asyncio.to_thread(publish_version, self.archive, self.day, row, partial.path, check.sha256)
            partial.discard()
        except StorageError as error:
            if not (error.is_out_of_space or error.is_timeout):
                raise  # all others would fail too, after they were fetched
            return dataclasses.replace(row, fetch_failure=str(error)), None
        except (TransferError, RecallError) as error:
            if not error.retry_can_help:
                partial.discard()
            return dataclasses.replace(row, fetch_failure=str(error)), None
        return _with_check(row, check, key), check

    async def recover(self, row: MixedAudioRow) -> MixedAudioRow:
        """Return the row of an MP3 that is no longer served, with the file that an interrupted sync published."""
        try:
            found = await find_published(self.archive, self.day, row, self.checker)
        except (TransferError, StorageError) as error:  # says nothing about the bytes: left as it was, so tried again
            if isinstance(error, StorageError) and not (error.is_out_of_space or error.is_timeout):
                raise
            return dataclasses.replace(row, status_code="done", has_url=True, fetch_failure=str(error))
        return _with_check(row, *found) if found else row

    def partial(self, row: MixedAudioRow) -> Partial:
        """Return the partial file of a row's download."""
        return Partial.of(self.archive.staging_folder, row.audio_id)

    async def _fetch(self, url: SecretStr | None, body: _Body) -> DecodeCheck:
        """Download and check a whole body; one of unpromised length until two downloads agree."""
        longest: DecodeCheck | None = None
        for _ in range(_MOST_COMPARED):
            check, is_promised = await self._fetch_once(url, body)
            if is_promised or _has_promised_length(check) or (longest and check.sha256 == longest.sha256):
                return check
            longest = check if longest is None or check.size_bytes > longest.size_bytes else longest
            body.partial.discard()
            url = None
        raise TransferError("the media host promises no length, and its downloads end at different places")

    async def _fetch_once(self, url: SecretStr | None, body: _Body) -> tuple[DecodeCheck, bool]:
        """Return the check of one download, and whether HTTP promised its length."""
        first = url or await self._fresh_url(body.audio_id)
        is_promised = await self.transfer.fetch(first, lambda: self._fresh_url(body.audio_id), body.partial)
        return await self.checker.check_file(body.partial.path, body.normalize), is_promised

    async def _fetch_again(self, body: _Body, first: DecodeCheck) -> DecodeCheck:
        """Fetch the whole body once more from a fresh URL: the same bytes are the artifact's own, good or not."""
        body.partial.discard()
        second = await self._fetch(None, body)
        if second.fault is None or second.sha256 == first.sha256:
            return second
        body.partial.discard()
        raise TransferError(f"two downloads differ, and neither is whole audio: {second.fault}")

    async def _fresh_url(self, audio_id: str) -> SecretStr:
        artifact = await self.client.audio_mixed_by_id(audio_id)
        if artifact is None or artifact.download_url is None:
            raise LinkExpired("Recall offers no download any more")
        return artifact.download_url


@contextlib.asynccontextmanager
async def open_downloader(
    client: RecallClient,
    archive: Archive,
    settings: Settings,
    day: date,
    breakers: HostBreakers,
    early: EarlyNormalizer | None = None,
) -> AsyncIterator[Downloader]:
    """Give a downloader with its own connections, which carry no API key, and its own decoding processes."""
    async with media_client(settings) as http, DecodeChecker(settings.processes) as checker:
        yield Downloader(client, archive, Transfer(http, settings, breakers), checker, day, early)


def _has_promised_length(check: DecodeCheck) -> bool:
    """Whether the file's own header promises a length, and it decodes to that."""
    decoded = check.decoded
    if decoded is None or decoded.header_seconds is None:
        return False
    return decoded.decoded_seconds >= decoded.header_seconds - _HEADER_TOLERANCE_SECONDS


def _with_check(row: MixedAudioRow, check: DecodeCheck, key: str) -> MixedAudioRow:
    """Return the row after its bytes were published; corrupt ones do not displace an earlier good version."""
    looked_at = dataclasses.replace(row, fault=check.fault, fetch_failure=None, captured_updated_at=row.updated_at)
    if check.fault and row.state == ARCHIVED:
        return looked_at
    decoded = check.decoded
    return dataclasses.replace(
        looked_at,
        captured_at=utc_now(),
        state=CORRUPT if check.fault else ARCHIVED,
        source_key=key,
        source_bytes=check.size_bytes,
        source_sha256=check.sha256,
        source_codec=decoded.codec if decoded else None,
        source_sample_rate_hz=decoded.sample_rate_hz if decoded else None,
        source_channels=decoded.channels if decoded else None,
        source_bitrate_bps=decoded.bitrate_bps if decoded else None,
        header_seconds=decoded.header_seconds if decoded else None,
        duration_seconds=decoded.duration_seconds if decoded else None,
        bad_packets=decoded.bad_packets if decoded else None,
    )
