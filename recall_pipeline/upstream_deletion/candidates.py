"""Which MP3s may be deleted at Recall: `ready`, of the version that Recall last showed, and not released yet."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from recall_pipeline.audit import AUDIT, RELEASED, AuditRow, erased_on
from recall_pipeline.catalog import CATALOG, Outcome
from recall_pipeline.download import ARCHIVED, MIXED_AUDIO, MixedAudioRow
from recall_pipeline.recall_api import DELETED, AudioMixed
from recall_pipeline.storage import Archive


@dataclass(frozen=True, slots=True)
class Candidate:
    """An MP3 that is in the archive and, as far as is known, at Recall; `begun` is the note of an interrupted try."""

    mp3: MixedAudioRow
    is_ready: bool
    bot_id: str | None
    begun: AuditRow | None

    def objection(self, shown: AudioMixed | None) -> str | None:
        """Say why what Recall shows now must not be deleted; None when it may."""
        if not self.is_ready:
            return "it is no longer ready"
        if shown is None:
            return "Recall does not list it"
        if shown.status.code != "done":
            return f"it is {shown.status.code or 'without a status'} at Recall"
        if not shown.is_mp3:
            return "it is not an MP3 at Recall"
        if shown.recording and shown.recording.id != self.mp3.recording_id:
            return f"it belongs to recording {shown.recording.id} at Recall"
        if shown.status.updated_at is None or self.mp3.captured_updated_at is None:
            return "the date of its version is not known, so Recall may have another one"
        if shown.status.updated_at != self.mp3.captured_updated_at:
            return "Recall has another version than the archive: sync its day first"
        return None


def days_older_than(archive: Archive, days: int, now: datetime) -> list[date]:
    """Return the cataloged days that ended more than `days` ago, the oldest first."""
    before = (now - timedelta(days=days)).date()
    return [day for day in archive.days(CATALOG.name) if day < before]


def candidates_on(archive: Archive, day: date) -> list[Candidate]:
    """Return what of a day may be released, by the tables. Raises StorageError."""
    ready = {row.audio_id: row for row in CATALOG.read(archive, day) or [] if row.outcome == Outcome.READY}
    notes = {row.audio_id: row for row in AUDIT.read(archive, day) or [] if row.action == RELEASED}
    erased = erased_on(archive, day).recordings
    found = []
    for mp3 in MIXED_AUDIO.read(archive, day) or []:
        note, row = notes.get(mp3.audio_id), ready.get(mp3.audio_id)
        is_ready = row is not None and mp3.recording_id not in erased and _is_sound(mp3)
        is_new = note is None and is_ready and mp3.status_code != DELETED
        if is_new or (note and note.finished_at is None):
            found.append(Candidate(mp3, is_ready, row.bot_id if row else None, note))
    return found


def _is_sound(mp3: MixedAudioRow) -> bool:
    """Return whether the archive has what Recall last offered, and Recall served nothing bad since."""
    return mp3.state == ARCHIVED and mp3.is_settled and not (mp3.fault or mp3.fetch_failure)
