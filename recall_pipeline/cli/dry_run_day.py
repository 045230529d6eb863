"""One day of a dry run: the steps of a sync up to the download, on tables in memory."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from recall_pipeline.catalog import CATALOG, CatalogRow, Outcome, decide
from recall_pipeline.days import utc_now
from recall_pipeline.discovery import (
    RECORDINGS,
    RecordingRow,
    expired_bots,
    refuse_vanished,
    sync_bots,
    sync_recordings,
)
from recall_pipeline.download import DownloadPlan, MixedAudioRow, find_artifacts
from recall_pipeline.recall_api import Upstream
from recall_pipeline.restoration import restore_mp3s, restore_recordings
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, ArchiveDay, StoredTable, Table
from recall_pipeline.webhooks import EventStore


@dataclass(frozen=True, slots=True)
class PlannedMp3:
    """An MP3 that a sync would fetch; `seconds` by the API's times, None if they are not known."""

    recording_id: str
    expires_at: datetime | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class PlannedDay:
    """What a sync of one day would find and fetch; `outcomes` of all of which nothing is to be fetched.

    `bots_expired`: bots whose recordings Recall removed before any sync.
    """

    bots: int
    recordings: int
    outcomes: Counter[str]
    mp3s: list[PlannedMp3]
    bots_expired: int


class UnwrittenDay(ArchiveDay):
    """A day of the archive whose tables are written to memory only, without its lock."""

    def write(self, table: Table[Any], rows: Iterable[Any], facts: Mapping[str, str] | None = None) -> None:
        """Keep the rows of a table for the steps that follow."""
        self._stored[table.key(self.day)] = StoredTable(list(rows), dict(facts or {}))


@dataclass(frozen=True, slots=True)
class DayPlanner:
    """Plans days as a sync with these arguments would; `refetch` and `accept_vanished` as in `sync`."""

    archive: Archive
    settings: Settings
    refetch: frozenset[str] = frozenset()
    accept_vanished: bool = False

    async def plan(self, day: date, upstream: Upstream) -> PlannedDay:
        """Return what a sync of `day` would do, with the same requests; raises StorageError and RecallError."""
        unwritten = UnwrittenDay(self.archive, day)
        restore_recordings(unwritten, self.refetch)
        restore_mp3s(unwritten, self.refetch)
        if not self.accept_vanished:
            await refuse_vanished(unwritten, upstream, EventStore(self.archive).deleted_recordings)
        is_past_retention = self.settings.is_past_retention(day, utc_now().date())
        return await _planned_day(unwritten, upstream, self.refetch, is_past_retention=is_past_retention)


async def _planned_day(
    unwritten: UnwrittenDay, upstream: Upstream, refetch: frozenset[str], *, is_past_retention: bool
) -> PlannedDay:
    bots = await sync_bots(unwritten, upstream)
    recordings = {row.recording_id: row for row in await sync_recordings(unwritten, upstream, refetch)}
    mp3s, _ = await find_artifacts(unwritten, upstream, refetch)
    expires_at = {row.recording_id: row.expires_at for row in recordings.values()}
    plan = DownloadPlan(expires_at, refetch, is_past_retention)
    queue = [row for row in mp3s if plan.includes(row) and row.recording_id in recordings]
    others = [row for row in mp3s if row not in queue]
    return PlannedDay(
        bots=len(bots),
        recordings=len(recordings),
        outcomes=_outcomes(unwritten, recordings, others, {row.recording_id for row in mp3s}),
        mp3s=[_planned(recordings[row.recording_id], row) for row in queue],
        bots_expired=len(expired_bots(unwritten.require(RECORDINGS).facts)),
    )


def _outcomes(
    day: ArchiveDay, recordings: Mapping[str, RecordingRow], mp3s: Iterable[MixedAudioRow], with_mp3: set[str]
) -> Counter[str]:
    """Count the outcomes of MP3s that stay as they are, and of recordings without an MP3."""
    cataloged = {row.key: row for row in day.rows(CATALOG)}
    pairs: list[tuple[RecordingRow, MixedAudioRow | None]] = [
        (recordings[mp3.recording_id], mp3) for mp3 in mp3s if mp3.recording_id in recordings
    ]
    pairs += [(row, None) for recording_id, row in recordings.items() if recording_id not in with_mp3]
    now = utc_now()
    return Counter(
        _planned_outcome(row, mp3, cataloged.get(mp3.audio_id if mp3 else row.recording_id), now) for row, mp3 in pairs
    )


def _planned_outcome(
    recording: RecordingRow, mp3: MixedAudioRow | None, before: CatalogRow | None, now: datetime
) -> str:
    """Return the outcome as it is cataloged where the archive decides it, else as a sync would decide now."""
    is_erased = before is not None and before.outcome == Outcome.FORGOTTEN
    if is_erased or (mp3 is not None and mp3.state is not None):
        return before.outcome if before else str(Outcome.READY)
    return str(decide(recording, mp3, None, now).outcome)


def _planned(recording: RecordingRow, mp3: MixedAudioRow) -> PlannedMp3:
    return PlannedMp3(mp3.recording_id, recording.expires_at, recording.recorded_seconds)
