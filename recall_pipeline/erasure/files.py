"""Every file of a recording: what the tables name, older versions, and what nobody names."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import PurePosixPath

from recall_pipeline.catalog import CatalogRow
from recall_pipeline.download import MixedAudioRow, Partial
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import AUDIO_FOLDERS, Archive, Layout, sha256_of


@dataclass(frozen=True, slots=True)
class File:
    """A stored file; its hash is None where it could not be read."""

    key: str
    bytes: int
    sha256: str | None


def folders_of(day: date, recording_id: str) -> list[str]:
    """Return the folders that hold a recording's files and nothing else."""
    return [f"{Layout.folder(folder, day)}/{recording_id}" for folder in AUDIO_FOLDERS]


def sizes_by_recording(archive: Archive, day: date) -> dict[str, dict[str, int]]:
    """Return the size of every audio file of a day, by recording and key. Raises StorageError."""
    found: dict[str, dict[str, int]] = {}
    for folder in AUDIO_FOLDERS:
        for key, size_bytes in archive.sizes_below(Layout.folder(folder, day)).items():
            parts = PurePosixPath(key).parts
            if len(parts) > 3:  # else the day's table
                found.setdefault(parts[2], {})[key] = size_bytes
    return found


def stated_hashes(mp3s: Iterable[MixedAudioRow], catalog: Iterable[CatalogRow]) -> dict[str, str]:
    """Return the SHA-256 that the tables state, by key."""
    hashes = {row.source_key: row.source_sha256 for row in mp3s}
    hashes |= {Layout.key_in(row.audio_uri): row.audio_sha256 for row in catalog if row.audio_uri}
    return {key: sha256 for key, sha256 in hashes.items() if key and sha256}


def with_hash(archive: Archive, key: str, size_bytes: int, stated: Mapping[str, str]) -> File:
    """Return the file with the hash that is stated, else with its own."""
    if key in stated:
        return File(key, size_bytes, stated[key])
    try:
        with archive.local_copy(key) as local:
            return File(key, size_bytes, sha256_of(local))
    except (StorageError, OSError):  # it goes all the same
        return File(key, size_bytes, None)


def discard_partials(archive: Archive, audio_ids: Iterable[str]) -> None:
    """Remove what interrupted downloads left in this host's spool."""
    for audio_id in audio_ids:
        Partial.of(archive.staging_folder, audio_id).discard()


def written(files: Iterable[File]) -> str:
    """Return files as JSON, in the order of their keys."""
    return json.dumps([asdict(file) for file in sorted(files, key=lambda file: file.key)])


def read(text: str) -> list[File]:
    """Read what `written` gave."""
    return [File(**stored) for stored in json.loads(text)]
