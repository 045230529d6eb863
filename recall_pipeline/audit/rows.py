"""The table `audit`, partitioned by the day of the recording or bot, so that a sync reads one small file."""

import hashlib
import re
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, ClassVar

from recall_pipeline.storage import Archive, ArchiveDay, Layout, Table, column

if TYPE_CHECKING:
    import pyarrow as pa

FORGOTTEN, RELEASED = "forgotten", "released"
ERASED_COLUMNS = ("action", "recording_id", "bot_id")
"""The columns that state which ids are erased."""


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


@dataclass(frozen=True, slots=True)
class AuditTable(Table[AuditRow]):
    """The audit of a day, with one row per key: the merged file of the day, and one file per host that wrote it.

    Locks are per host, and each host replaces its own file only. So no host removes the rows of another, also where
    the merged file, which is for readers of the folder, is overtaken by another host.
    """

    has_one_file: ClassVar[bool] = False
    cure: ClassVar[str] = (
        "restore it from a backup, or move it away and run recall-pipeline forget again for what it named: without its "
        "rows a sync may download that again"
    )

    @property
    def stem(self) -> str:
        """The name of the merged file without its suffix."""
        return self.part or self.name

    def own_key(self, day: date) -> str:
        """Return the key of this host's file."""
        host = hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]
        return f"{Layout.audit_hosts(day)}/{self.stem}-{host}.parquet"

    def merged_rows(self, archive: Archive, day: date) -> list[AuditRow]:
        """Return the rows of the merged file, as readers of the folder see them."""
        merged = self.load_file(archive, self.key(day))
        return [] if merged is None else self.rows_in(archive, day, merged)

    def latest_rows(self, archive: Archive, day: date) -> list[AuditRow]:
        """Return the latest row of each key: of the hosts' files, else of the merged file."""
        merged = self.load_file(archive, self.key(day))
        stated = [] if merged is None else self.rows_in(archive, day, merged)
        return _latest(stated, self._other_rows(archive, day, merged))

    def _load(
        self,
        archive: Archive,
        day: date,
        columns: Sequence[str] | None = None,
        content: bytes | None = None,  # noqa: ARG002 -- of one file; the others are read in any case
    ) -> "pa.Table | None":
        """Return the latest row of each key; None without a file.

        A row is finished once the merged file states so: before, its host was interrupted between its two files.
        """
        needed = None if columns is None else self.schema().names  # with columns, a file that lacks some is refused
        merged = self.load_file(archive, self.key(day), needed)
        if of_hosts := self._other_rows(archive, day, merged):
            stated = [] if merged is None else self.rows_in(archive, day, merged)
            finished = {row.key for row in stated if row.finished_at}
            latest = _latest(stated, of_hosts)
            merged = self.content(row if row.key in finished else replace(row, finished_at=None) for row in latest)
        if merged is None or columns is None:
            return merged
        return merged.select([name for name in columns if name in merged.column_names])

    def _other_rows(self, archive: Archive, day: date, merged: "pa.Table | None") -> list[AuditRow]:
        """Return the rows of the hosts' files that differ from the merged file: of none if one host wrote them all."""
        folder = Layout.audit_hosts(day)
        names = [name for name in archive.names(folder) if re.fullmatch(rf"{self.stem}-[0-9a-f]{{8}}\.parquet", name)]
        loaded = ((key := f"{folder}/{name}", self.load_file(archive, key)) for name in names)
        differing = [(key, content) for key, content in loaded if content is not None and content != merged]
        return [row for key, content in differing for row in self.rows_in(archive, key, content)]


def _latest(merged: Iterable[AuditRow], of_hosts: Iterable[AuditRow]) -> list[AuditRow]:
    return list({row.key: row for row in (*merged, *sorted(of_hosts, key=_age))}.values())


def _age(row: AuditRow) -> tuple[bool, datetime]:
    """Return a sort key: unfinished rows first, then by their end."""
    return row.finished_at is not None, row.finished_at or row.began_at


AUDIT = AuditTable("audit", AuditRow)


def record_audit(archive: Archive, day: date, rows: Iterable[AuditRow], audit: AuditTable = AUDIT) -> None:
    """Insert or replace rows of the day's audit by key: in the file of this host, then in the merged file.

    The caller holds the lock of the day, which other hosts do not see. Raises StorageError.
    """
    recorded = {row.key: row for row in rows}
    own = audit.load_file(archive, audit.own_key(day))
    own_before = [] if own is None else audit.rows_in(archive, audit.own_key(day), own)
    own_after = {row.key: row for row in own_before} | recorded
    if list(own_after.values()) != own_before:
        audit.write_file(archive, audit.own_key(day), _in_order(own_after.values()))
    after = _in_order(audit.latest_rows(archive, day))
    if after != audit.merged_rows(archive, day):
        audit.write(archive, day, after)


def _in_order(rows: Iterable[AuditRow]) -> list[AuditRow]:
    return sorted(rows, key=lambda row: (row.began_at, *(name or "" for name in row.key)))


@dataclass(frozen=True, slots=True)
class ErasedIds:
    """The erased ids of a day: nothing of them may be stored or downloaded."""

    recordings: frozenset[str]
    bots: frozenset[str]

    @classmethod
    def of(cls, audit: Iterable[AuditRow]) -> "ErasedIds":
        """Return the ids that a day's audit rows name as erased, also where the erasure was interrupted."""
        return cls.of_columns((row.action, row.recording_id, row.bot_id) for row in audit)

    @classmethod
    def of_columns(cls, audit: Iterable[Sequence[str | None]]) -> "ErasedIds":
        """Return the same from the columns ERASED_COLUMNS of the rows."""
        erased = [ids for action, *ids in audit if action == FORGOTTEN]
        return cls(
            recordings=frozenset(recording_id for recording_id, _ in erased if recording_id),
            bots=frozenset(bot_id for recording_id, bot_id in erased if bot_id and not recording_id),
        )


def erased_on(archive: Archive, day: date) -> ErasedIds:
    """Return the erased ids of `day`, including those of an interrupted erasure. Raises StorageError."""
    return ErasedIds.of_columns(AUDIT.read_columns(archive, day, *ERASED_COLUMNS))


def erased_in(day: ArchiveDay, *, read_again: bool = False) -> ErasedIds:
    """Return the erased ids of an open day; `read_again` where another host may have erased meanwhile."""
    return ErasedIds.of(day.read_again(AUDIT) if read_again else day.rows(AUDIT))
