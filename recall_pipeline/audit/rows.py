"""The table `audit`, partitioned by the day of the recording or bot, so that a sync reads one small file."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from recall_pipeline.storage import Archive, ArchiveDay, Table, column

FORGOTTEN, RELEASED = "forgotten", "released"


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One erasure or upstream deletion: when, why, and the ids, sizes and hashes of the removed files."""

    action: str = column("`forgotten`: erased from the archive; `released`: deleted at Recall")
    recording_id: str | None = column("Recall's id of the recording; null for a bot")
    audio_id: str | None = column("Recall's id of the released MP3, or of the MP3 of a removed transcript; else null")
    bot_id: str | None = column("Recall's id of the bot")
    reason: str = column("Reason, as given with the request")
    began_at: datetime = column("Start, UTC")
    finished_at: datetime | None = column("End, UTC; null while unfinished: the same request resumes it")
    files: int = column("Number of removed files", default=0)
    bytes: int = column("Total size of the removed files, bytes", default=0)
    removed: str = column("Removed files as JSON, each {key, bytes, sha256}; for a transcript, its table", default="[]")

    @property
    def key(self) -> tuple[str, str | None]:
        """The unique key of the row within its day."""
        return self.action, self.audio_id or self.recording_id or self.bot_id


AUDIT = Table("audit", AuditRow)


def record_audit(archive: Archive, day: date, rows: Iterable[AuditRow], audit: Table[AuditRow] = AUDIT) -> None:
    """Insert or replace rows of the day's audit by key. The caller holds the lock of the day. Raises StorageError."""
    before = audit.read(archive, day) or []
    by_key = {row.key: row for row in before} | {row.key: row for row in rows}
    after = sorted(by_key.values(), key=lambda row: (row.began_at, *(part or "" for part in row.key)))
    if after != before:
        audit.write(archive, day, after)


@dataclass(frozen=True, slots=True)
class ErasedIds:
    """The erased ids of a day: nothing of them may be stored or downloaded."""

    recordings: frozenset[str]
    bots: frozenset[str]

    @classmethod
    def of(cls, audit: Iterable[AuditRow]) -> "ErasedIds":
        """Return the ids that a day's audit rows name as erased, also where the erasure was interrupted."""
        erased = [row for row in audit if row.action == FORGOTTEN]
        return cls(
            recordings=frozenset(row.recording_id for row in erased if row.recording_id),
            bots=frozenset(row.bot_id for row in erased if row.bot_id and not row.recording_id),
        )


def erased_on(archive: Archive, day: date) -> ErasedIds:
    """Return the erased ids of `day`, including those of an interrupted erasure. Raises StorageError."""
    return ErasedIds.of(AUDIT.read(archive, day) or ())


def erased_in(day: ArchiveDay, *, read_again: bool = False) -> ErasedIds:
    """Return the erased ids of an open day; `read_again` where another host may have erased meanwhile."""
    return ErasedIds.of(day.read_again(AUDIT) if read_again else day.rows(AUDIT))
