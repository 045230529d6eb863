"""Compares the archive with the ledger: each recording is archived exactly, or named with the right reason."""

import hashlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import soundfile

from recall_pipeline_tests.chaos.simulation.ledger import Key, Known, Ledger

_NIGHTS = 3
"""Healthy nights after which something has to be settled; 12 days of standstill take two of them."""
_ARCHIVED = ("ready", "silent", "corrupt")
_GONE = {"expired", "deleted"}
_OPEN = {"processing", "download_failed"}
_CHECKED_UNTIL = timedelta(days=45)

Row = dict[str, Any]


class Judge:
    """Reads the archive below `root`; only files that changed since the last check."""

    def __init__(self, root: Path, ledger: Ledger, lookback_days: int) -> None:
        self._root = root
        self._ledger = ledger
        self._lookback_days = lookback_days
        self._tables: dict[Path, tuple[int, list[Row]]] = {}
        self._good_files: dict[str, tuple[int, int, str]] = {}
        self.was_archived: set[Key] = set()
        self.erased: set[str] = set()

    def check(self, now: datetime) -> list[str]:
        """Return everything that is wrong at `now`."""
        rows = self._catalog()
        return [*self._wrong_files(rows), *self._lost(rows), *self._missing(rows, now), *self._unknown(rows)]

    def count(self) -> dict[str, int]:
        """Return the number of rows by outcome."""
        counts: dict[str, int] = {}
        for row in self._catalog().values():
            counts[row["outcome"]] = counts.get(row["outcome"], 0) + 1
        return counts

    def archived_keys(self) -> list[Key]:
        """Return what is archived."""
        return [key for key, row in self._catalog().items() if row["outcome"] in _ARCHIVED]

    def never_seen(self) -> int:
        """Return how many recordings have no row."""
        with_row = {recording_id for recording_id, _ in self._catalog()}
        return len(self._ledger.keys_of.keys() - with_row)

    def _catalog(self) -> dict[Key, Row]:
        found: dict[Key, Row] = {}
        for path in sorted(self._root.glob("audio_catalog/day=*/audio_catalog.parquet")):
            changed = path.stat().st_mtime_ns
            known, before = self._tables.get(path, (0, []))
            if known != changed:
                try:
                    self._tables[path] = changed, pq.ParquetFile(path).read().to_pylist()
                except (pa.ArrowException, OSError):  # torn until the operator moves it away; `verify` judges it too
                    self._tables[path] = changed, before
            for row in self._tables[path][1]:
                found[row["recording_id"], row["audio_id"]] = row | {"day": path.parent.name.removeprefix("day=")}
        return found

    def _wrong_files(self, rows: dict[Key, Row]) -> Iterator[str]:
        for key, row in rows.items():
            known = self._ledger.known.get(key)
            if row["outcome"] not in _ARCHIVED or known is None:
                continue
            self.was_archived.add(key)
            what = f"{row['day']}: {row['outcome']} MP3 {key[1]}"
            if row["source_sha256"] not in known.versions:
                yield f"{what}: its bytes were never served"
            if self._sha256(row["source_uri"]) != row["source_sha256"]:
                yield f"{what}: its original is not what the row states"
            if row["outcome"] != "corrupt" and self._sha256(row["audio_uri"]) != row["audio_sha256"]:
                yield f"{what}: its normalized file is not what the row states"

    def _lost(self, rows: dict[Key, Row]) -> Iterator[str]:
        for key in self.was_archived:
            if key[0] in self.erased:
                if key in rows and rows[key]["outcome"] != "forgotten":
                    yield f"{rows[key]['day']}: erased recording {key[0]} is {rows[key]['outcome']}"
            elif key not in rows or rows[key]["outcome"] not in _ARCHIVED:
                yield f"{self._ledger.known[key].day}: MP3 {key[1]} was archived and is {_outcome(rows.get(key))}"

    def _missing(self, rows: dict[Key, Row], now: datetime) -> Iterator[str]:
        recent = (now - _CHECKED_UNTIL).date()
        for key, known in self._ledger.known.items():
            if known.day < recent or key[0] in self.erased:
                continue
            if key[1] is None and len(self._ledger.keys_of[key[0]]) > 1:
                continue  # its MP3s have rows of their own
            row = rows.get(key)
            if fault := self._fault(known, row, rows.get((key[0], None)), now.date()):
                yield f"{known.day}: recording {key[0]}, MP3 {key[1]}: {fault}"

    def _fault(self, known: Known, row: Row | None, without_mp3: Row | None, today: date) -> str | None:
        """Return what is wrong with a row, None if it is right."""
        outcome = _outcome(row)
        if known.available_nights >= _NIGHTS:
            if row is None or outcome not in _ARCHIVED:
                return f"{outcome}, although it was served in {_NIGHTS} healthy nights"
            return self._wrong_version(known, row)
        if outcome in _ARCHIVED or known.nights < _NIGHTS:
            return None
        if not known.is_shown:
            accepted = known.outcomes | _GONE | {"no row"}
            outcome = outcome if row else _outcome(without_mp3)
        elif known.outcome in _OPEN or (today - known.day).days <= self._lookback_days - _NIGHTS:
            accepted = {known.outcome}
        else:
            accepted = known.outcomes
        return None if outcome in accepted else f"{outcome} in place of {' or '.join(sorted(accepted))}"

    def _wrong_version(self, known: Known, row: Row) -> str | None:
        stored = row["source_sha256"]
        good = [sha256 for sha256, outcome in known.versions.items() if outcome != "corrupt"]
        if known.newest_nights < _NIGHTS or stored == known.newest:
            expected = known.versions.get(stored)
            if stored == known.newest and expected == "corrupt" and len(good) and known.newest_nights >= _NIGHTS:
                return "a newer and bad version has replaced a good one" if row["outcome"] == "corrupt" else None
            return None if row["outcome"] == expected else f"{row['outcome']} in place of {expected}"
        if known.versions[known.newest] == "corrupt" and good and stored == good[-1]:
            return None
        return "not the newest version after three nights"

    def _unknown(self, rows: dict[Key, Row]) -> Iterator[str]:
        for key, row in rows.items():
            if key[0] not in self._ledger.keys_of:
                yield f"{row['day']}: a row of recording {key[0]}, which never existed"

    def _sha256(self, uri: str | None) -> str | None:
        """Return the SHA-256 of a stored file; None if it is absent, or a FLAC that does not decode."""
        path = Path((uri or "").removeprefix("file://"))
        if not uri or not path.is_file():
            return None
        stat = path.stat()
        known = self._good_files.get(uri)
        if known is None or known[:2] != (stat.st_mtime_ns, stat.st_size):
            if path.suffix == ".flac" and not _decodes(path):
                return None
            known = (stat.st_mtime_ns, stat.st_size, hashlib.sha256(path.read_bytes()).hexdigest())
            self._good_files[uri] = known
        return known[2]


def _decodes(path: Path) -> bool:
    try:
        with soundfile.SoundFile(path) as file:
            return bool(len(file.read()) == file.frames > 0)
    except soundfile.LibsndfileError:
        return False


def _outcome(row: Row | None) -> str:
    return str(row["outcome"]) if row else "no row"
