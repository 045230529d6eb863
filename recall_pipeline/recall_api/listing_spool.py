"""The rows of a listing in a private SQLite file, so that memory does not grow with the listing (ADR 22).

Each page is stored in one transaction with the URL of the next page: a killed walk continues there. Rows are stored
without secrets; links are kept in memory only.
"""

import contextlib
import ctypes
import json
import os
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from recall_pipeline.days import utc_now
from recall_pipeline.errors import StorageError
from recall_pipeline.recall_api.record_json import links_of, row_of, with_links
from recall_pipeline.recall_api.records import AudioMixed, Bot, Listed, Recording, read_record

R = TypeVar("R", bound=Listed)
KINDS: Mapping[str, type[Listed]] = {"bot": Bot, "recording": Recording, "audio_mixed": AudioMixed}
MOST_LINKS = 50_000
"""Links of several days that are kept in memory; a link has about 1 kB."""
MOST_CACHED = 20_000
"""Records of a listing that is also kept in memory, with 1 to 5 kB each: to read one from the file takes 0.2 ms."""
_PREFIX, _SUFFIX, _JOURNAL = "listing-", ".sqlite", "-journal"
_FORMAT = 1
FEWEST_ROWS = 1000
"""Rows of a listing that another process continues; a smaller one is walked again in seconds."""
CONTINUED_WITHIN = timedelta(minutes=45)
"""How long after its last page another process continues it."""
ABANDONED = timedelta(hours=6)
"""Age at which the next listing removes the file of a killed process."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS item (kind TEXT, id TEXT, day TEXT, parent TEXT, row BLOB, shape TEXT, unknown TEXT,
    has_link INTEGER,     PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS item_day ON item (kind, day);
CREATE INDEX IF NOT EXISTS item_parent ON item (kind, parent);
CREATE TABLE IF NOT EXISTS embedded (recording_id TEXT, day TEXT, bot_id TEXT, PRIMARY KEY (recording_id, bot_id));
CREATE INDEX IF NOT EXISTS embedded_day ON embedded (day);
CREATE TABLE IF NOT EXISTS walk (kind TEXT PRIMARY KEY, next TEXT, started TEXT, touched TEXT);
CREATE TABLE IF NOT EXISTS owner (format INTEGER, workspace TEXT);
"""


class SpooledRecords(Mapping[str, R], Generic[R]):
    """The records of one kind, by id; each access reads them again."""

    def __init__(self, spool: "ListingSpool", kind: str) -> None:
        self._spool, self._kind = spool, kind

    def __getitem__(self, object_id: str) -> R:
        found = self._spool.query("SELECT row, shape FROM item WHERE kind = ? AND id = ?", self._kind, object_id)
        if not found:
            raise KeyError(object_id)
        record: R = self._spool.record(self._kind, object_id, *found[0])
        return record

    def __contains__(self, object_id: object) -> bool:
        return bool(self._spool.query("SELECT 1 FROM item WHERE kind = ? AND id = ?", self._kind, object_id))

    def __iter__(self) -> Iterator[str]:
        return (found for (found,) in self._spool.query("SELECT id FROM item WHERE kind = ? ORDER BY id", self._kind))

    def __len__(self) -> int:
        return int(self._spool.query("SELECT count(*) FROM item WHERE kind = ?", self._kind)[0][0])

    def of_day(self, day: date) -> Iterator[R]:
        """Yield the records whose own day is `day`."""
        return self._where("day", day.isoformat())

    def within(self, parent_id: str) -> Iterator[R]:
        """Yield the recordings of a bot, or the artifacts of a recording."""
        return self._where("parent", parent_id)

    def _where(self, column: Literal["day", "parent"], value: str) -> Iterator[R]:
        """Yield the records with this value, by the index of the column: SQLite alone would read all of a kind."""
        sql = f"SELECT id, row, shape FROM item INDEXED BY item_{column} WHERE kind = ? AND {column} = ?"  # noqa: S608
        for object_id, row, shape in self._spool.stream(sql, self._kind, value):
            yield self._spool.record(self._kind, object_id, row, shape)


class ListingSpool:
    """The file of one listing; without `file` a temporary one, which no other process can see.

    `links` has the links by artifact id, at most `most_links` of them. Its methods raise StorageError.
    """

    def __init__(self, file: Path | None = None, workspace: str = "") -> None:
        self.links: dict[str, str] = {}
        self.most_links = MOST_LINKS
        self._cache: dict[tuple[str, str], Any] = {}
        self._is_cached = True
        self._file = file
        self._connection = _opened(file, workspace)
        self.bots: SpooledRecords[Bot] = SpooledRecords(self, "bot")
        self.recordings: SpooledRecords[Recording] = SpooledRecords(self, "recording")
        self.audio_mixed: SpooledRecords[AudioMixed] = SpooledRecords(self, "audio_mixed")
        self.drop("audio_mixed")  # its links were only in the memory of the process that walked it

    @property
    def listed_at(self) -> datetime:
        """When the first page of the listing was requested."""
        [(started,)] = self.query("SELECT min(started) FROM walk")
        return datetime.fromisoformat(started) if started else utc_now()

    def position(self, kind: str) -> str | None:
        """Return the URL of the next page of a list: None before the first one, empty after the last one."""
        found = self.query("SELECT next FROM walk WHERE kind = ?", kind)
        return found[0][0] if found else None

    def begin(self, kind: str) -> None:
        """Note when the walk of a list begins, unless an earlier process began it."""
        now = utc_now().isoformat()
        self._connection.execute("INSERT OR IGNORE INTO walk VALUES (?, NULL, ?, ?)", (kind, now, now))

    def add_page(self, kind: str, items: Sequence[tuple[Any, frozenset[str]]], next_url: str | None) -> int:
        """Store the records of a page, each with what is unknown in it; return how many were not there before."""
        ids = sorted({record.id for record, _ in items})
        places = ", ".join("?" * len(ids))
        [(known,)] = self.query(f"SELECT count(*) FROM item WHERE kind = ? AND id IN ({places})", kind, *ids)  # noqa: S608
        with self._transaction() as connection:
            for record, unknown in items:
                self._put(connection, kind, record, unknown)
            now = utc_now().isoformat()
            connection.execute("UPDATE walk SET next = ?, touched = ? WHERE kind = ?", (next_url or "", now, kind))
        return len(ids) - int(known)

    def rewind(self, kind: str) -> None:
        """Walk a list again, and keep its rows until others take their place."""
        self._cache.clear()  # all kinds contain links
        self._connection.execute("UPDATE walk SET next = NULL WHERE kind = ?", (kind,))

    def drop(self, kind: str) -> None:
        """Remove the rows of a list, so that it is walked from its first page."""
        self._cache = {key: record for key, record in self._cache.items() if key[0] != kind}
        with self._transaction() as connection:
            connection.execute("DELETE FROM item WHERE kind = ?", (kind,))
            connection.execute("DELETE FROM walk WHERE kind = ?", (kind,))
            if kind == "bot":
                connection.execute("DELETE FROM embedded")

    def unknowns_of(self, day: date) -> Mapping[str, int]:
        """Return the numbers of listed rows of a day with something that this version does not know, by name."""
        counts: Counter[str] = Counter()
        sql = "SELECT unknown, count(*) FROM item INDEXED BY item_day WHERE kind = ? AND day = ? GROUP BY unknown"
        for names, rows in (found for kind in KINDS for found in self.query(sql, kind, day.isoformat())):
            counts.update(dict.fromkeys(json.loads(names or "[]"), rows))
        return counts

    def bots_embedding(self, column: Literal["day", "recording_id"], value: str) -> Iterator[Bot]:
        """Yield the bots that embed recordings with this value."""
        for (bot_id,) in self.query(f"SELECT DISTINCT bot_id FROM embedded WHERE {column} = ?", value):  # noqa: S608
            yield self.bots[bot_id]

    def ids_with_artifacts(self) -> set[str]:
        """Return the ids of all recordings that may show artifacts anywhere."""
        embedded = self.query("SELECT DISTINCT recording_id FROM embedded")
        parents = self.query("SELECT DISTINCT parent FROM item WHERE kind = 'audio_mixed' AND parent IS NOT NULL")
        return {found for (found,) in (*embedded, *parents)} | set(self.recordings)

    def lacks_links(self, day: date) -> bool:
        """Whether an artifact that was listed with a link, and is of `day`, has none in memory."""
        sql = "SELECT id FROM item INDEXED BY item_day WHERE kind = 'audio_mixed' AND day = ? AND has_link"
        return any(audio_id not in self.links for (audio_id,) in self.stream(sql, day.isoformat()))

    def record(self, kind: str, object_id: str, row: bytes, shape: str | None) -> Any:
        """Return the record of a stored row."""
        if cached := self._cache.get((kind, object_id)):
            return cached
        fields = with_links(kind, json.loads(zlib.decompress(row)), self.links)
        return read_record(KINDS[kind], fields, shape)

    def query(self, sql: str, *values: object) -> list[Any]:
        """Return all rows of a query."""
        return self._connection.execute(sql, values).fetchall()

    def stream(self, sql: str, *values: object) -> Iterator[Any]:
        """Yield the rows of a query one by one."""
        yield from self._connection.execute(sql, values)

    def suspend(self) -> None:
        """Close the file for the process, or the retry in this one, that continues it; remove one that none will."""
        rows = 0
        with contextlib.suppress(sqlite3.Error):  # such as the one that ended the walk
            [(rows,)] = self.query("SELECT count(*) FROM item")
        self._connection.close()
        if self._file and rows < FEWEST_ROWS:
            remove_listing(self._file)

    def close(self) -> None:
        """Close and remove the file."""
        self._connection.close()
        self._cache.clear()
        self.links.clear()
        _give_back_memory()
        if self._file:
            remove_listing(self._file)

    def _put(self, connection: sqlite3.Connection, kind: str, record: Any, unknown: frozenset[str]) -> None:
        self._keep_in_memory(kind, record)
        links = links_of(record)
        # Those within bots are of three days, and come again with the recording or the artifact.
        for audio_id, link in links.items() if kind != "bot" else ():
            if audio_id in self.links or len(self.links) < self.most_links:
                self.links[audio_id] = link
        row = zlib.compress(json.dumps(row_of(record)).encode(), 1)
        day = record.day.isoformat() if record.day else None
        names = json.dumps(sorted(unknown)) if unknown else ""
        shape = getattr(record, "row_shape", None)
        values = (kind, record.id, day, _parent_id(record), row, shape, names, bool(links))
        connection.execute("INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
        embedded = [(r.id, r.day.isoformat(), record.id) for r in getattr(record, "recordings", ())]
        connection.executemany("INSERT OR REPLACE INTO embedded VALUES (?, ?, ?)", embedded)

    def _keep_in_memory(self, kind: str, record: Any) -> None:
        """Cache the record as long as the listing is small; a large one keeps none, to leave memory for its tables."""
        if self._is_cached:
            self._cache[kind, record.id] = record
        if len(self._cache) > MOST_CACHED:
            self._is_cached = False
            self._cache.clear()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            place = self._file or "a temporary file"
            raise StorageError(
                f"cannot write the listing to {place} ({error}): check the disk of RECALL_SPOOL_DIR"
            ) from None


def spool_file(folder: Path, first: date, last: date) -> Path:
    """Return the file in the staging folder of the listing of these days."""
    return folder / f"{_PREFIX}{first}-{last}{_SUFFIX}"


def remove_listings(folder: Path, older_than: timedelta = timedelta(0)) -> None:
    """Remove the listings that killed processes left in the staging folder; a process that uses one goes on with it."""
    now = utc_now().timestamp()
    for path in folder.glob(f"{_PREFIX}*{_SUFFIX}*"):  # a removal may have left a journal alone
        with contextlib.suppress(OSError):
            if now - path.stat().st_mtime >= older_than.total_seconds():
                remove_listing(path.with_name(path.name.removesuffix(_JOURNAL)))


def remove_listing(file: Path) -> None:
    """Remove the file of a listing, with its journal."""
    for path in (file, file.with_name(f"{file.name}{_JOURNAL}")):
        path.unlink(missing_ok=True)


def _opened(file: Path | None, workspace: str) -> sqlite3.Connection:
    """Return a connection to `file` if what is in it can be continued, else to an empty file."""
    if file is None:
        return _connected("")
    remove_listings(file.parent, ABANDONED)
    with contextlib.suppress(sqlite3.Error):
        connection = _private(file)
        if _may_continue(connection, workspace):
            return connection
        connection.close()
        remove_listing(file)
        connection = _private(file)
        connection.execute("INSERT INTO owner VALUES (?, ?)", (_FORMAT, workspace))
        return connection
    return _connected("")  # another process has it


def _private(file: Path) -> sqlite3.Connection:
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    return _connected(str(file))


def _connected(file: str) -> sqlite3.Connection:
    """Return a connection that holds the file until it is closed. Raises sqlite3.Error if another process holds it."""
    connection = sqlite3.connect(file, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA synchronous = OFF")  # what a power cut damages is walked again
        connection.execute("BEGIN EXCLUSIVE")
        for statement in filter(str.strip, _SCHEMA.split(";")):
            connection.execute(statement)
        connection.execute("COMMIT")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _may_continue(connection: sqlite3.Connection, workspace: str) -> bool:
    """Whether a file has enough rows of this workspace, and was written a short while ago."""
    owners = connection.execute("SELECT * FROM owner").fetchall()
    [(rows,)] = connection.execute("SELECT count(*) FROM item").fetchall()
    [(touched,)] = connection.execute("SELECT max(touched) FROM walk").fetchall()
    is_fresh = touched is not None and utc_now() - datetime.fromisoformat(touched) < CONTINUED_WITHIN
    return owners == [(_FORMAT, workspace)] and is_fresh and int(rows) >= FEWEST_ROWS


def _give_back_memory() -> None:
    """Give what is free back to the system: smaller objects do not use the holes that links leave on glibc's heap."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def _parent_id(record: Listed) -> str | None:
    """Return the id of the bot of a recording, or of the recording of an artifact."""
    parent = record.bot if isinstance(record, Recording) else getattr(record, "recording", None)
    return parent.id if parent else None
