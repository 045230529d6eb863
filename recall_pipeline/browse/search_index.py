"""The search index: an SQLite FTS5 table in an unlinked temporary file, which is gone when the process ends.

So no text of a meeting outlives the page that shows it. A row is a recording (names, ids, metadata) or a line of a
transcript. The row id starts with the day, so that the newest days come first without sorting, and a day is a range.
"""

import contextlib
import os
import sqlite3
import tempfile
import threading
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from recall_pipeline.browse.search_words import indexed_text, match_expression, shown_text
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import private_temporary_folder

_ROWS_A_DAY = 2**36
_LAST = 2**63 - 1
_BATCH_ROWS = 2_000  # inserted at once, while a search waits
_SNIPPET_WORDS = 24
MARK_START, MARK_END = "\ue000", "\ue001"
"""Private characters around a word that was found; a page replaces them by its own marks."""
# Without `prefix`, a word such as 4 is looked up under each of its continuations: in a million ids, for 0.2 s.
_CREATE = """
CREATE VIRTUAL TABLE texts USING fts5(
    text, recording_id UNINDEXED, audio_id UNINDEXED, start UNINDEXED,
    tokenize = "unicode61 remove_diacritics 2", prefix = "1 2"
)
"""
_INSERT = "INSERT INTO texts (rowid, text, recording_id, audio_id, start) VALUES (?, ?, ?, ?, ?)"
_SEARCH = """
SELECT rowid, recording_id, audio_id, start, snippet(texts, 0, ?, ?, '…', ?)
FROM texts WHERE texts MATCH ? AND rowid < ? ORDER BY rowid DESC
"""


@dataclass(frozen=True, slots=True)
class IndexedText:
    """A text to search. `start`: where it is spoken, seconds; None for what is not a line of a transcript."""

    text: str
    recording_id: str
    audio_id: str | None = None
    start: float | None = None


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A text that was found. `position`: where a search for further ones continues."""

    day: date
    found: IndexedText
    position: int


class SearchIndex:
    """The texts of the archive, by day. Safe for several threads; each call holds its lock for some milliseconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection = _nameless_database()
        self._connection.execute(_CREATE)
        self.versions: dict[date, str] = {}
        """The version of its tables that each day was indexed from."""

    def replace(self, day: date, version: str, texts: Iterable[IndexedText]) -> None:
        """Replace the texts of a day. Until this ends, the day has no version, so that no search shows it."""
        self.remove(day)
        first = day.toordinal() * _ROWS_A_DAY
        row_id = first + _ROWS_A_DAY
        for batch in _text_batches(texts):
            with self._lock, self._connection:
                self._connection.executemany(_INSERT, ((row_id - n, *_values(text)) for n, text in enumerate(batch, 1)))
            row_id -= len(batch)
        self.versions[day] = version

    def remove(self, day: date) -> None:
        """Remove the texts of a day."""
        self.versions.pop(day, None)
        first = day.toordinal() * _ROWS_A_DAY
        with self._lock, self._connection:
            self._connection.execute("DELETE FROM texts WHERE rowid > ? AND rowid <= ?", (first, first + _ROWS_A_DAY))

    def search(self, query: str, limit: int, *, days: Collection[date], before: int | None = None) -> list[SearchHit]:
        """Return at most `limit` texts of `days` with every word of a query, the newest first, before a position."""
        expression = match_expression(query)
        if expression is None:
            return []
        hits: list[SearchHit] = []
        with self._lock, contextlib.closing(self._connection.cursor()) as cursor:
            for row_id, *values in cursor.execute(
                _SEARCH, (MARK_START, MARK_END, _SNIPPET_WORDS, expression, before or _LAST)
            ):
                day = date.fromordinal((row_id - 1) // _ROWS_A_DAY)
                if day in days:
                    hits.append(SearchHit(day, _found_text(*values), row_id))
                if len(hits) >= limit:
                    break
        return hits

    def close(self) -> None:
        """Close the index, which removes it."""
        with self._lock:
            self._connection.close()


def _nameless_database() -> sqlite3.Connection:
    """Open a database in a file of this user's temporary folder, and remove its name at once."""
    try:
        folder = str(private_temporary_folder())
    except (StorageError, OSError):
        folder = tempfile.gettempdir()
    handle, path = tempfile.mkstemp(prefix="search-", dir=folder)
    os.close(handle)
    try:
        connection = sqlite3.connect(path, check_same_thread=False)
        for setting in ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute("BEGIN EXCLUSIVE")
        connection.commit()
    finally:
        os.unlink(path)  # noqa: PTH108  the open file stays until it is closed
    return connection


def _values(text: IndexedText) -> tuple[str, str, str | None, float | None]:
    return indexed_text(text.text), text.recording_id, text.audio_id, text.start


def _found_text(recording_id: str, audio_id: str | None, start: float | None, snippet: str) -> IndexedText:
    return IndexedText(shown_text(snippet), recording_id, audio_id, start)


def _text_batches(texts: Iterable[IndexedText]) -> Iterator[list[IndexedText]]:
    batch: list[IndexedText] = []
    for text in texts:
        batch.append(text)
        if len(batch) == _BATCH_ROWS:
            yield batch
            batch = []
    yield batch
