"""Keep the search index in step with the archive: days whose tables were replaced are indexed again, newest first."""

import logging
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date

from recall_pipeline.audit import erased_on
from recall_pipeline.browse.day_reader import without_erased
from recall_pipeline.browse.day_summary import read_catalog_columns
from recall_pipeline.browse.row_filter import metadata_pairs
from recall_pipeline.browse.search_index import IndexedText, SearchIndex
from recall_pipeline.browse.transcripts import TRANSCRIPT_TEXTS
from recall_pipeline.catalog import CATALOG
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import Archive, Layout

_TABLES = ("audio_catalog", "transcripts", "audit")
_COLUMNS = (
    "recording_id", "audio_id", "bot_id", "bot_name", "platform", "meeting_id", "metadata", "outcome", "audio_sha256"
)  # fmt: skip
_WAIT_SECONDS = 20.0
_log = logging.getLogger(__name__)


def day_versions(archive: Archive) -> dict[date, str]:
    """Return the version of each day that is cataloged: a text that changes whenever one of its tables is replaced.

    Raises StorageError.
    """
    found: dict[date, list[str]] = defaultdict(list)
    for table in _TABLES:
        for key, version in archive.versions_below(table).items():
            day = Layout.day_in(key.rpartition("/")[0])
            if day is not None:
                found[day].append(f"{key} {version}")
    return {day: "\n".join(parts) for day, parts in found.items() if any(CATALOG.key(day) in part for part in parts)}


class Indexer:
    """A thread that indexes days. It looks at the archive when it is woken, and every 20 seconds."""

    def __init__(self, archive: Archive, index: SearchIndex) -> None:
        self._archive = archive
        self._index = index
        self._wake, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="indexer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Let the thread look at the archive now."""
        self._wake.set()

    def stop(self) -> None:
        """End the thread after the day at hand."""
        self._ended.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join()

    def update(self) -> None:
        """Index every day whose tables were replaced, and remove days that are gone. Raises StorageError."""
        present = day_versions(self._archive)
        for day in [day for day in self._index.versions if day not in present]:
            self._index.remove(day)
        for day in self.stale(present):
            if self._ended.is_set():
                return
            self._index_day(day, present[day])

    def stale(self, present: Mapping[date, str]) -> list[date]:
        """Return the days that are not indexed in their present version, newest first."""
        return sorted(
            (day for day, version in present.items() if self._index.versions.get(day) != version), reverse=True
        )

    def _index_day(self, day: date, version: str) -> None:
        try:
            self._index.replace(day, version, list(texts_of(self._archive, day)))
        except StorageError as error:
            self._index.replace(day, version, ())  # until the file is replaced
            _log.warning("%s is not indexed: %s", day, error)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._wake.clear()
            try:
                self.update()
            except StorageError as error:
                _log.warning("the search index is not up to date: %s", error)
            self._wake.wait(_WAIT_SECONDS)


def texts_of(archive: Archive, day: date) -> Iterator[IndexedText]:
    """Yield the texts of a day's recordings, erased ones left out. Raises StorageError."""
    table = read_catalog_columns(archive, day, _COLUMNS)
    if table is None:
        return
    rows = without_erased(table, erased_on(archive, day)).table.to_pylist()
    for row in rows:
        pairs = (f"{key} {value}" for key, value in metadata_pairs(row["metadata"]).items())
        names = (row[name] for name in _COLUMNS[:6])
        yield IndexedText(" · ".join(filter(None, (*names, *pairs))), row["recording_id"], row["audio_id"])
    yield from _lines(archive, day, {row["recording_id"] for row in rows})


def _lines(archive: Archive, day: date, shown: set[str]) -> Iterator[IndexedText]:
    transcripts = TRANSCRIPT_TEXTS.load(archive, day)
    for transcript in transcripts.rows if transcripts else ():
        if transcript.recording_id in shown:
            for line in transcript.segments or ():
                yield IndexedText(line["text"], transcript.recording_id, transcript.audio_id, line["start_seconds"])
