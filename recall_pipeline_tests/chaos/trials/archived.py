"""The archive on disk, compared with what the sandbox served.

A violation is a state that must never be visible: a row that calls audio ready without its exact bytes, two rows for
one object, a torn file. A shortfall is what a complete archive lacks, or has in excess.
"""

import contextlib
import hashlib
import io
import os
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import soundfile

from recall_sandbox import ExpectedRow

Served = Mapping[str, Collection[str]]
"""By artifact id: the SHA-256 of all contents that were ever served for it, good or bad."""

_DECODED = ("ready", "silent")
_complete: set[str] = set()
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_DAY = r"day=\d{4}-\d\d-\d\d"
_TABLE = re.compile(rf"(bots|recordings|mixed_audio|audio_catalog|waveforms)/{_DAY}/\1\.parquet")
_AT_THE_ROOT = ("archive.json", "README.txt")
_SOURCE = re.compile(rf"mixed_audio/{_DAY}/{_UUID}/(?P<audio>{_UUID})(\.[0-9a-f]{{8}})?\.mp3")
_NORMALIZED = re.compile(rf"normalized_audio/{_DAY}/{_UUID}/(?P<audio>{_UUID})(\.[0-9a-f]{{8}})?\.flac")


@dataclass(frozen=True)
class Archived:
    """A snapshot of the files below an archive's root; those in the staging folder separately."""

    root: Path
    contents: dict[str, bytes] = field(repr=False)
    spooled: frozenset[str]

    @classmethod
    def read(cls, root: Path) -> "Archived":
        """Read all files, again until no catalog table changes during the read."""
        while True:
            tables = _contents(root, "audio_catalog")
            everything = _contents(root)
            if tables == _contents(root, "audio_catalog"):
                spooled = frozenset(key for key in everything if key.startswith("_spool/"))
                return cls(root, {k: v for k, v in everything.items() if k not in spooled}, spooled)

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of a table over all days, each with its `day`; raises pyarrow's error for a torn one."""
        for key in sorted(self.contents):
            if key.startswith(f"{table}/") and _TABLE.fullmatch(key):
                day = key.split("/")[1].removeprefix("day=")
                for row in pq.read_table(io.BytesIO(self.contents[key])).to_pylist():
                    yield row | {"day": day}

    @cached_property
    def catalog(self) -> list[dict[str, Any]]:
        """The rows of the catalog."""
        return list(self.rows("audio_catalog"))

    def content(self, uri: str | None) -> bytes | None:
        """Return the bytes at a row's URI; None without a file."""
        path = Path(unquote(urlsplit(uri or "").path))
        return self.contents.get(str(path.relative_to(self.root))) if path.is_relative_to(self.root) else None


def violations(archived: Archived, served: Served) -> list[str]:
    """Return the violations that are visible now."""
    found = [*_torn_tables(archived)]
    return found or [*_doubled(archived), *_wrong_bytes(archived, served), *_torn_audio(archived, served)]


def shortfalls(archived: Archived, rows: Iterable[ExpectedRow], kept: Served | None = None) -> list[str]:
    """Return what a complete archive lacks or has in excess; `kept` are older versions that may be stored too."""
    expected = list(rows)
    served: dict[str, set[str]] = defaultdict(set)
    for row in expected:
        if row.audio_id and row.is_archived:
            served[row.audio_id] |= {row.digest.sha256, *(kept or {}).get(row.audio_id, ())}
    found = violations(archived, served)
    return found or [*_wrong_rows(archived, expected), *_wrong_files(archived, expected, served)]


def _torn_tables(archived: Archived) -> Iterator[str]:
    for table in ("bots", "recordings", "mixed_audio", "audio_catalog"):
        try:
            list(archived.rows(table))
        except (pa.ArrowException, OSError) as error:
            yield f"{table} cannot be read: {error}"


def _doubled(archived: Archived) -> Iterator[str]:
    keys = {
        "bots": ("bot_id",),
        "recordings": ("recording_id",),
        "mixed_audio": ("audio_id",),
        "audio_catalog": ("recording_id", "audio_id"),
    }
    for table, names in keys.items():
        counts = Counter(tuple(row[name] for name in names) for row in archived.rows(table))
        yield from (f"{table} has {count} rows of {key}" for key, count in counts.items() if count > 1)


def _wrong_bytes(archived: Archived, served: Served) -> Iterator[str]:
    """Return which rows call audio archived without its exact bytes."""
    for row in archived.catalog:
        source, audio = archived.content(row["source_uri"]), archived.content(row["audio_uri"])
        what = f"{row['outcome']} row of {row['audio_id']}"
        if row["outcome"] in (*_DECODED, "corrupt") and (source is None or _sha256(source) != row["source_sha256"]):
            yield f"{what}: the original does not match the row"
        if row["source_sha256"] and row["source_sha256"] not in served.get(row["audio_id"], ()):
            yield f"{what}: its original was never served"
        if row["outcome"] in _DECODED and (audio is None or _sha256(audio) != row["audio_sha256"]):
            yield f"{what}: the normalized file does not match the row"


def _torn_audio(archived: Archived, served: Served) -> Iterator[str]:
    for key, content in archived.contents.items():
        if source := _SOURCE.fullmatch(key):
            if _sha256(content) not in served.get(source["audio"], ()):
                yield f"{key} holds bytes that were never served"
        elif _NORMALIZED.fullmatch(key) and not _is_complete(content):
            yield f"{key} is torn"


def _wrong_rows(archived: Archived, expected: list[ExpectedRow]) -> Iterator[str]:
    wanted = {(row.recording_id, row.audio_id): (row.day.isoformat(), row.outcome) for row in expected}
    found = {(row["recording_id"], row["audio_id"]): (row["day"], row["outcome"]) for row in archived.catalog}
    for key in wanted.keys() | found.keys():
        if wanted.get(key) != found.get(key):
            yield f"row {key}: {found.get(key)} instead of {wanted.get(key)}"


def _wrong_files(archived: Archived, expected: list[ExpectedRow], served: Served) -> Iterator[str]:
    yield from (f"{key} is left in the staging folder" for key in archived.spooled)
    sources = {m["audio"]: key for key in archived.contents if (m := _SOURCE.fullmatch(key))}
    stored = Counter(m["audio"] for key in archived.contents if (m := _SOURCE.fullmatch(key)))
    yield from (f"{audio} is archived, and should not be" for audio in sources.keys() - served.keys())
    yield from (f"{audio} has {n} files" for audio, n in stored.items() if n > len(served.get(audio, ())))
    rows = {row["audio_id"]: row for row in archived.catalog}
    for row in expected:
        if row.audio_id and row.is_archived:
            current = archived.content(rows[row.audio_id]["source_uri"]) if row.audio_id in rows else None
            if current != row.body:
                yield f"{row.audio_id}: the row does not have the bytes that are served now"
    named = {row["audio_uri"] for row in archived.catalog if row["audio_uri"]}
    for key in archived.contents:
        is_known = key in _AT_THE_ROOT or _TABLE.fullmatch(key) or _SOURCE.fullmatch(key)
        if not is_known and f"file://{archived.root / key}" not in named:
            yield f"{key} is a stray file"


def _contents(root: Path, below: str = "") -> dict[str, bytes]:
    found = {}
    for folder, _, names in os.walk(root / below):
        for path in (Path(folder, name) for name in names):
            with contextlib.suppress(FileNotFoundError):  # deleted since it was listed
                found[str(path.relative_to(root))] = path.read_bytes()
    return found


def _is_complete(content: bytes) -> bool:
    """Whether it is a complete FLAC; the result is cached by content."""
    digest = _sha256(content)
    if digest not in _complete and _is_whole_flac(content):
        _complete.add(digest)
    return digest in _complete


def _is_whole_flac(content: bytes) -> bool:
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            return bool(len(file.read()) == file.frames > 0)
    except soundfile.LibsndfileError:
        return False


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
