"""The table `audit`, filed under the day of the recording or bot, so that a sync of a day reads one small file."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from recall_pipeline.storage import Archive, ArchiveDay, Table, column

FORGOTTEN, RELEASED = "forgotten", "released"


@dataclass(frozen=True, slots=True)
class AuditRow:
    """What was let go, when and why; ids, sizes and hashes are all that is left of it."""

    action: str = column("`forgotten` from the archive, or `released` at Recall")
    recording_id: str | None = column("Recall's id of the recording; null for a bot")
    audio_id: str | None = column("Recall's id of the MP3 that was released, or of that of a transcript; else null")
    bot_id: str | None = column("Recall's id of the bot")
    reason: str = column("Why, in the words of who asked for it")
    began_at: datetime = column("When it began, UTC")
    finished_at: datetime | None = column("When nothing was left of it, UTC; null: interrupted, asking again goes on")
    files: int = column("How many files it were", default=0)
    bytes: int = column("How many bytes they had", default=0)
    removed: str = column("Each file as {key, bytes, sha256}, JSON; of a transcript, the table it was in", default="[]")

    @property
    def key(self) -> tuple[str, str | None]:
        """What tells the row from the day's others."""
        return self.action, self.audio_id or self.recording_id or self.bot_id


AUDIT = Table("audit", AuditRow)


def record_audit(archive: Archive, day: date, rows: Iterable[AuditRow], audit: Table[AuditRow] = AUDIT) -> None:
    """Put rows into the day's audit, in place of those with their keys. Its writer holds a lock of the day."""
    before = audit.read(archive, day) or []
    kept = {row.key: row for row in before} | {row.key: row for row in rows}
    after = sorted(kept.values(), key=lambda row: (row.began_at, *(part or "" for part in row.key)))
    if after != before:
        audit.write(archive, day, after)


@dataclass(frozen=True, slots=True)
class ErasedIds:
    """The ids of a day of which nothing may be kept or downloaded."""

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
    """Return what was erased of `day`. Raises StorageError."""
    return ErasedIds.of(AUDIT.read(archive, day) or ())


def erased_in(day: ArchiveDay, *, read_again: bool = False) -> ErasedIds:
    """Return what was erased of an open day; `read_again` where another host may have erased meanwhile."""
    return ErasedIds.of(day.read_again(AUDIT) if read_again else day.rows(AUDIT))
