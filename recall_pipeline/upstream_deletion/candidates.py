"""Select the MP3s that may be deleted at Recall.ai: `ready`, in the newest listed version, not deleted yet."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from recall_pipeline.audit import AUDIT, FORGOTTEN, RELEASED, AuditRow, ErasedIds
from recall_pipeline.catalog import CATALOG, Outcome
from recall_pipeline.download import ARCHIVED, MIXED_AUDIO, MixedAudioRow
from recall_pipeline.recall_api import DELETED, AudioMixed
from recall_pipeline.storage import Archive, ScannedDay, Table, stream_tables

_OF_MP3S = (
    "audio_id", "recording_id", "source_bytes",
    "status_code", "state", "fault", "fetch_failure", "updated_at", "captured_updated_at",
)  # fmt: skip
_OF_ESTIMATE: Mapping[Table[Any], Sequence[str]] = {
    CATALOG: ("audio_id", "outcome"),
    MIXED_AUDIO: _OF_MP3S,
    AUDIT: ("action", "audio_id", "recording_id", "finished_at"),
}
_Rows = Sequence[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An MP3 that is in the archive and, according to the tables, still at Recall.ai.

    `unfinished` is the audit row of an interrupted deletion, else None.
    """

    mp3: MixedAudioRow
    is_ready: bool
    bot_id: str | None
    unfinished: AuditRow | None

    def reason_to_keep(self, listed: AudioMixed | None) -> str | None:
        """Return why the artifact as listed now must not be deleted; None if it may. `listed` None: not listed."""
        if not self.is_ready:
            return "it is no longer ready"
        if listed is None:
            return "Recall does not list it"
        if listed.status.code != "done":
            return f"it is {listed.status.code or 'without a status'} at Recall"
        if not listed.is_mp3:
            return "it is not an MP3 at Recall"
        if listed.recording and listed.recording.id != self.mp3.recording_id:
            return f"it belongs to recording {listed.recording.id} at Recall"
        if listed.status.updated_at is None or self.mp3.captured_updated_at is None:
            return "the date of its version is not known, so Recall may have another one"
        if listed.status.updated_at != self.mp3.captured_updated_at:
            return "Recall has another version than the archive: sync its day first"
        return None


def days_older_than(archive: Archive, days: int, now: datetime) -> list[date]:
    """Return the cataloged days that ended more than `days` before `now`, oldest first."""
    before = (now - timedelta(days=days)).date()
    return [day for day in archive.days(CATALOG.name) if day < before]


@dataclass(slots=True)
class DeletionEstimate:
    """At most so many MP3s and bytes are candidates; `days`: on which; `faults`: why a day cannot be read."""

    days: list[date] = field(default_factory=list)
    mp3s: int = 0
    bytes: int = 0
    faults: dict[date, str] = field(default_factory=dict)


def estimate_deletion(archive: Archive, days: Collection[date]) -> DeletionEstimate:
    """Count the candidates of some days, from a few columns of several days at once.

    Raises StorageError if the storage does not answer.
    """
    estimate = DeletionEstimate()
    for day, scanned in stream_tables(archive, sorted(days), _OF_ESTIMATE):
        if fault := next((each.error for each in scanned.values() if each.error), None):
            estimate.faults[day] = str(fault)
        elif sizes := _candidate_sizes(*(list(_rows_in(scanned.get(table.name))) for table in _OF_ESTIMATE)):
            estimate.days.append(day)
            estimate.mp3s += len(sizes)
            estimate.bytes += sum(sizes)
    return estimate


def _rows_in(scanned: ScannedDay | None) -> Iterator[tuple[Any, ...]]:
    yield from zip(*scanned.stored.values.values(), strict=True) if scanned and scanned.stored else ()


def _candidate_sizes(catalog: _Rows, mp3s: _Rows, audit: _Rows) -> list[int]:
    """Return the size of each candidate of a day, as `candidates_on` finds them."""
    ready = {audio_id for audio_id, outcome in catalog if outcome == Outcome.READY}
    erased = {recording_id for action, _, recording_id, _ in audit if action == FORGOTTEN}
    released = {audio_id: finished_at for action, audio_id, _, finished_at in audit if action == RELEASED}
    sizes = []
    for audio_id, recording_id, source_bytes, *values in mp3s:
        mp3 = MixedAudioRow(recording_id, audio_id, **dict(zip(_OF_MP3S[3:], values, strict=True)))
        is_ready = audio_id in ready and recording_id not in erased and _is_settled_without_errors(mp3)
        is_new = audio_id not in released and is_ready and mp3.status_code != DELETED
        if is_new or (audio_id in released and released[audio_id] is None):
            sizes.append(source_bytes or 0)
    return sizes


def candidates_on(archive: Archive, day: date) -> list[Candidate]:
    """Return the candidates of a day, by its tables. Raises StorageError."""
    ready = {row.audio_id: row for row in CATALOG.read(archive, day) or [] if row.outcome == Outcome.READY}
    audit = AUDIT.read(archive, day) or []
    audit_rows = {row.audio_id: row for row in audit if row.action == RELEASED}
    erased = ErasedIds.of(audit).recordings
    candidates = []
    for mp3 in MIXED_AUDIO.read(archive, day) or []:
        audit_row, row = audit_rows.get(mp3.audio_id), ready.get(mp3.audio_id)
        is_ready = row is not None and mp3.recording_id not in erased and _is_settled_without_errors(mp3)
        is_new = audit_row is None and is_ready and mp3.status_code != DELETED
        if is_new or (audit_row and audit_row.finished_at is None):
            candidates.append(Candidate(mp3, is_ready, row.bot_id if row else None, audit_row))
    return candidates


def _is_settled_without_errors(mp3: MixedAudioRow) -> bool:
    """Return whether the newest version that Recall offered is archived, and no later download failed."""
    return mp3.state == ARCHIVED and mp3.is_settled and not (mp3.fault or mp3.fetch_failure)
