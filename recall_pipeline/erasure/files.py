"""All files of a recording: referenced files, older versions and orphans."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date

from recall_pipeline.catalog import CatalogRow
from recall_pipeline.download import MixedAudioRow, Partial
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import AUDIO_FOLDERS, Archive, Layout, sha256_of


@dataclass(frozen=True, slots=True)
class File:
    """A stored file; `sha256` is None if the file could not be read."""

    key: str
    bytes: int
    sha256: str | None


def folders_of(day: date, recording_id: str) -> list[str]:
    """Return the folders that contain only files of this recording, as keys."""
    return [f"{Layout.folder(folder, day)}/{recording_id}" for folder in AUDIO_FOLDERS]


def sizes_by_recording(archive: Archive, day: date) -> dict[str, dict[str, int]]:
    """Return the size in bytes of every audio file of a day, by recording id and key. Raises StorageError."""
    found: dict[str, dict[str, int]] = {}
    for folder in AUDIO_FOLDERS:
        for key, size_bytes in archive.sizes_below(Layout.folder(folder, day)).items():
            if recording_id := Layout.recording_in(key):
                found.setdefault(recording_id, {})[key] = size_bytes
    return found


def stated_hashes(mp3s: Iterable[MixedAudioRow], catalog: Iterable[CatalogRow]) -> dict[str, str]:
    """Return the SHA-256 that the tables state, by key."""
    hashes = {row.source_key: row.source_sha256 for row in mp3s}
    hashes |= {Layout.audio_key_in(row.audio_uri): row.audio_sha256 for row in catalog}
    return {key: sha256 for key, sha256 in hashes.items() if key and sha256}


def with_hash(archive: Archive, key: str, size_bytes: int, stated: Mapping[str, str]) -> File:
    """Return the file with the hash that its row states, else with the hash of its bytes."""
    if key in stated:
        return File(key, size_bytes, stated[key])
    try:
        with archive.local_copy(key) as local:
            return File(key, size_bytes, sha256_of(local))
    except (StorageError, OSError):  # an unreadable file is removed too
        return File(key, size_bytes, None)


def discard_partials(archive: Archive, audio_ids: Iterable[str]) -> None:
    """Remove partial files, and listings that killed syncs left, from the staging folder of this host."""
    from recall_pipeline.recall_api import remove_listings  # slow to import, and not needed for a preview

    remove_listings(archive.staging_folder)
    for audio_id in audio_ids:
        Partial.of(archive.staging_folder, audio_id).discard()


def discard_checkpoints(archive: Archive, day: date, recordings: Iterable[str]) -> None:
    """Remove what an interrupted sync recorded of normalized files of these recordings. Raises StorageError."""
    for folder in (Layout.checkpoints(day, recording_id) for recording_id in recordings):
        if archive.sizes_below(folder):
            archive.remove_below(folder)


def to_json(files: Iterable[File]) -> str:
    """Return the files as JSON, sorted by key."""
    return json.dumps([asdict(file) for file in sorted(files, key=lambda file: file.key)])


def from_json(text: str) -> list[File]:
    """Return the files that `to_json` serialized."""
    return [File(**fields) for fields in json.loads(text)]
