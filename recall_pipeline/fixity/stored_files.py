"""Which files are stored, and what the tables state of them, from listings and from some columns of the tables."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from recall_pipeline.audit import erased_on
from recall_pipeline.catalog import CATALOG
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.storage import AUDIO_FOLDERS, Archive, Layout, Table, scan_days
from recall_pipeline.verification import version_in

_TABLE_FOLDERS = ("bots", "recordings", "mixed_audio", "audio_catalog", "transcripts", "waveforms", "audit")
_FOLDERS = (*_TABLE_FOLDERS, "normalized_audio", "audit/_hosts")
_LISTINGS_AT_ONCE = 16
_OF_CATALOG = ("source_uri", "source_sha256", "source_bytes", "audio_uri", "audio_sha256", "audio_bytes")
_OF_MP3S = ("source_key", "source_sha256", "source_bytes")


class FileKind(StrEnum):
    """What a stored file is."""

    ORIGINAL = "original"
    NORMALIZED = "normalized"
    OLDER_VERSION = "older_version"
    TABLE = "table"
    UNREFERENCED = "unreferenced"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is stored, or that a row states. `size_bytes`: None if it is not there.

    `stated_bytes`, `stated_sha256`: what its row states, else None. The hash is a prefix for an older version.
    """

    key: str
    kind: FileKind
    day: date
    recording_id: str | None
    size_bytes: int | None
    stated_bytes: int | None = None
    stated_sha256: str | None = None

    @property
    def has_wrong_size(self) -> bool:
        """Whether it is not there, is empty, or has another size than its row states: damage, without reading it."""
        is_lost = not self.size_bytes and self.kind is not FileKind.UNREFERENCED
        return is_lost or self.stated_bytes not in (None, self.size_bytes)


@dataclass(slots=True)
class _Stated:
    """What the tables of a day state: by key the recording, hash and size; `is_complete`: all tables were read."""

    files: dict[str, tuple[str, str, int | None]] = field(default_factory=dict)
    is_complete: bool = True


def days_with_files(archive: Archive) -> list[date]:
    """Return every day of which anything is stored, oldest first. Raises StorageError."""
    names = {name for folder in _FOLDERS for name in archive.names(folder)}
    return sorted(day for name in names if (day := Layout.day_in(name)) is not None)


def stored_files(archive: Archive, days: Collection[date]) -> Iterator[StoredFile]:
    """Yield every file of some days, without those of erased recordings. Raises StorageError.

    A day whose tables cannot be read has its files, without anything that is stated of them.
    """
    stated, erased = _stated_by_tables(archive, days), erased_recordings(archive, days)
    if not days:
        return
    with ThreadPoolExecutor(min(_LISTINGS_AT_ONCE, len(days))) as threads:
        for day, sizes in zip(days, threads.map(lambda day: _sizes_of_day(archive, day), days), strict=True):
            yield from _stored_files_of(day, sizes, stated[day], erased)


def erased_recordings(archive: Archive, days: Collection[date]) -> frozenset[str]:
    """Return the ids of the recordings of some days that the audit names as erased. Raises StorageError."""
    with_audit = {*archive.names("audit"), *archive.names("audit/_hosts")}
    audited = [day for day in days if f"day={day}" in with_audit]
    return frozenset().union(*(erased_on(archive, day).recordings for day in audited))


def _sizes_of_day(archive: Archive, day: date) -> dict[str, int]:
    """Return the size in bytes of every file of a day, by key."""
    return {key: size for folder in _FOLDERS for key, size in archive.sizes_below(f"{folder}/day={day}").items()}


def _stated_by_tables(archive: Archive, days: Collection[date]) -> Mapping[date, _Stated]:
    """Return what the catalog states of originals and normalized files, and `mixed_audio` of originals."""
    found = {day: _Stated() for day in days}
    scans: tuple[tuple[Table[Any], tuple[str, ...]], ...] = ((CATALOG, _OF_CATALOG), (MIXED_AUDIO, _OF_MP3S))
    for table, names in scans:
        for day, scanned in scan_days(archive, table, days, "recording_id", *names).items():
            found[day].is_complete &= scanned.error is None
            for recording_id, *values in zip(*scanned.stored.values.values(), strict=True) if scanned.stored else ():
                for uri, sha256, size_bytes in _in_groups(values, 3):
                    if sha256 and (key := Layout.audio_key_in(uri)):
                        found[day].files[key] = (recording_id, sha256, size_bytes)
    return found


def _in_groups(values: Sequence[Any], size: int) -> Iterator[tuple[Any, ...]]:
    """Yield the values in groups of `size`."""
    yield from zip(*[iter(values)] * size, strict=True)


def _stored_files_of(
    day: date, sizes: Mapping[str, int], stated: _Stated, erased: Collection[str]
) -> Iterator[StoredFile]:
    for key in sizes.keys() | (stated.files.keys() if stated.is_complete else set()):
        recording_id, sha256, size_bytes = stated.files.get(key, (Layout.recording_in(key), None, None))
        if recording_id not in erased:
            kind = _kind(key, is_stated=key in stated.files)
            sha256 = version_in(key) if kind is FileKind.OLDER_VERSION else sha256
            yield StoredFile(key, kind, day, recording_id, sizes.get(key), size_bytes, sha256)


def _kind(key: str, *, is_stated: bool) -> FileKind:
    is_of_original = key.startswith(f"{AUDIO_FOLDERS[0]}/")
    if is_stated:
        return FileKind.ORIGINAL if is_of_original else FileKind.NORMALIZED
    if key.endswith(".parquet"):
        return FileKind.TABLE
    return FileKind.OLDER_VERSION if is_of_original and key.endswith(".mp3") else FileKind.UNREFERENCED
