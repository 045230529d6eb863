"""What lies on disk, held against what the sandbox served: lies at any moment, shortfalls at the end.

A lie is what nobody may ever see: a row that calls audio ready without its exact bytes, two rows for one thing, a
visible file that is torn. A shortfall is what a finished archive lacks, or has too much of.
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
"""By artifact id: the SHA-256 of everything that was ever served for it, good or not."""

_HEARD = ("ready", "silent")
_whole: set[str] = set()
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_DAY = r"day=\d{4}-\d\d-\d\d"
_TABLE = re.compile(rf"(bots|recordings|mixed_audio|audio_catalog)/{_DAY}/\1\.parquet")
_SOURCE = re.compile(rf"mixed_audio/{_DAY}/{_UUID}/(?P<audio>{_UUID})(\.[0-9a-f]{{8}})?\.mp3")
_NORMALIZED = re.compile(rf"normalized_audio/{_DAY}/{_UUID}/(?P<audio>{_UUID})(\.[0-9a-f]{{8}})?\.flac")


@dataclass(frozen=True)
class Archived:
    """The files below an archive's root as they are now; those of the spool apart."""

    root: Path
    contents: dict[str, bytes] = field(repr=False)
    spooled: frozenset[str]

    @classmethod
    def read(cls, root: Path) -> "Archived":
        """Read everything until nothing that is named changes while it is read."""
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
        """Return the bytes that a row's URI names; None when there are none."""
        path = Path(unquote(urlsplit(uri or "").path))
        return self.contents.get(str(path.relative_to(self.root))) if path.is_relative_to(self.root) else None


def lies(archived: Archived, served: Served) -> list[str]:
    """Say what is visible and not true."""
    found = [*_torn_tables(archived)]
    return found or [*_doubled(archived), *_unfounded(archived, served), *_torn_audio(archived, served)]


def shortfalls(archived: Archived, truth: Iterable[ExpectedRow], kept: Served | None = None) -> list[str]:
    """Say what a finished archive lacks or has too much of; `kept` are older versions that rightly lie beside."""
    expected = list(truth)
    served: dict[str, set[str]] = defaultdict(set)
    for row in expected:
        if row.audio_id and row.is_archived:
            served[row.audio_id] |= {row.digest.sha256, *(kept or {}).get(row.audio_id, ())}
    found = lies(archived, served)
    return found or [*_wrong_rows(archived, expected), *_wrong_files(archived, expected, served)]


def _torn_tables(archived: Archived) -> Iterator[str]:
    for table in ("bots", "recordings", "mixed_audio", "audio_catalog"):
        try:
            list(archived.rows(table))
        except (pa.ArrowException, OSError) as fault:
            yield f"{table} cannot be read: {fault}"


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


def _unfounded(archived: Archived, served: Served) -> Iterator[str]:
    """Say which rows call audio archived without its exact bytes."""
    for row in archived.catalog:
        source, audio = archived.content(row["source_uri"]), archived.content(row["audio_uri"])
        what = f"{row['outcome']} row of {row['audio_id']}"
        if row["outcome"] in (*_HEARD, "corrupt") and (source is None or _sha256(source) != row["source_sha256"]):
            yield f"{what}: the source is not what the row says"
        if row["source_sha256"] and row["source_sha256"] not in served.get(row["audio_id"], ()):
            yield f"{what}: its source was never served"
        if row["outcome"] in _HEARD and (audio is None or _sha256(audio) != row["audio_sha256"]):
            yield f"{what}: the normalized file is not what the row says"


def _torn_audio(archived: Archived, served: Served) -> Iterator[str]:
    for key, content in archived.contents.items():
        if source := _SOURCE.fullmatch(key):
            if _sha256(content) not in served.get(source["audio"], ()):
                yield f"{key} holds bytes that were never served"
        elif _NORMALIZED.fullmatch(key) and not _is_known_whole(content):
            yield f"{key} is torn"


def _wrong_rows(archived: Archived, expected: list[ExpectedRow]) -> Iterator[str]:
    wanted = {(row.recording_id, row.audio_id): (row.day.isoformat(), row.outcome) for row in expected}
    found = {(row["recording_id"], row["audio_id"]): (row["day"], row["outcome"]) for row in archived.catalog}
    for key in wanted.keys() | found.keys():
        if wanted.get(key) != found.get(key):
            yield f"row {key}: {found.get(key)} instead of {wanted.get(key)}"


def _wrong_files(archived: Archived, expected: list[ExpectedRow], served: Served) -> Iterator[str]:
    yield from (f"{key} is left in the spool" for key in archived.spooled)
    sources = {m["audio"]: key for key in archived.contents if (m := _SOURCE.fullmatch(key))}
    stored = Counter(m["audio"] for key in archived.contents if (m := _SOURCE.fullmatch(key)))
    yield from (f"{audio} is archived, and should not be" for audio in sources.keys() - served.keys())
    yield from (f"{audio} has {n} files" for audio, n in stored.items() if n > len(served.get(audio, ())))
    rows = {row["audio_id"]: row for row in archived.catalog}
    for row in expected:
        if row.audio_id and row.is_archived:
            current = archived.content(rows[row.audio_id]["source_uri"]) if row.audio_id in rows else None
            if current != row.body:
                yield f"{row.audio_id}: the row does not lead to what is served now"
    named = {row["audio_uri"] for row in archived.catalog if row["audio_uri"]}
    for key in archived.contents:
        is_known = _TABLE.fullmatch(key) or _SOURCE.fullmatch(key)
        if not is_known and f"file://{archived.root / key}" not in named:
            yield f"{key} is a stray file"


def _contents(root: Path, below: str = "") -> dict[str, bytes]:
    found = {}
    for folder, _, names in os.walk(root / below):
        for path in (Path(folder, name) for name in names):
            with contextlib.suppress(FileNotFoundError):  # gone since it was listed
                found[str(path.relative_to(root))] = path.read_bytes()
    return found


def _is_known_whole(content: bytes) -> bool:
    """Whether it is a whole FLAC; each is decoded once, however often it is looked at."""
    digest = _sha256(content)
    if digest not in _whole and _is_whole_flac(content):
        _whole.add(digest)
    return digest in _whole


def _is_whole_flac(content: bytes) -> bool:
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            return bool(len(file.read()) == file.frames > 0)
    except soundfile.LibsndfileError:
        return False


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
