"""Files that no row names: older versions, which the contract keeps, and orphans.

An orphan goes only where it is proven to be one file too many. Everything else is left for a person to judge.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from recall_pipeline.storage import Archive, FolderName, Layout, mismatch
from recall_pipeline.verification.erased import erased_recording, recording_of
from recall_pipeline.verification.problems import Kind, Problem
from recall_pipeline.verification.referenced_files import ReferencedFile, Tables

FOLDERS: tuple[FolderName, ...] = ("bots", "recordings", "mixed_audio", "audio_catalog", "normalized_audio")
_AUDIO = re.compile(
    r"(?P<folder>\w+)/day=[\d-]+/(?P<recording_id>[^/]+)/(?P<audio_id>[^/.]+)(\.(?P<version>[0-9a-f]{8}))?\.\w+"
)


@dataclass(frozen=True, slots=True)
class OlderVersion:
    """An MP3 that Recall has replaced since; `version` begins its SHA-256, empty for the first one."""

    key: str
    recording_id: str
    version: str


def unreferenced(archive: Archive, tables: Tables) -> Iterator[OlderVersion | Problem]:
    """Yield every file of the day that no table names, as what it is.

    Where a table cannot be read, yields the files of erased recordings alone.
    """
    named = tables.files.keys()
    archived = {row.audio_id: row.recording_id for row in tables.mp3s if row.source_key}
    for key in _stored(archive, tables.day):
        recording_id = recording_of(key)
        if recording_id in tables.erased.recordings:
            yield erased_recording(tables.day, recording_id or "", key)
        elif tables.are_readable and key not in named:
            yield _older_version(key, archived) or Problem(
                tables.day, Kind.ORPHANED, key, "is named by no row", _part(key, "recording_id")
            )


def remove_if_redundant(archive: Archive, tables: Tables, key: str) -> bool:
    """Remove an orphan whose very bytes are cataloged under another name of the same audio, and say so.

    Call it with the day's lock held, and with tables read since.
    """
    files = tables.files
    if not tables.are_readable or key in files:
        return False
    twins = [file for file in files.values() if file.audio_id == _part(key, "audio_id")]
    if not any(_is_twin(archive, key, file) for file in twins):
        return False
    archive.remove(key)
    return True


def _is_twin(archive: Archive, key: str, file: ReferencedFile) -> bool:
    return all(mismatch(archive, one, file.size_bytes, file.sha256) is None for one in (key, file.key))


def _stored(archive: Archive, day: date) -> Iterable[str]:
    """Yield the keys of all files of a day but its tables."""
    for folder in FOLDERS:
        for key in archive.sizes_below(Layout.folder(folder, day)):
            if not key.endswith(f"/{folder}.parquet"):
                yield key


def _older_version(key: str, archived: Mapping[str, str]) -> OlderVersion | None:
    """Return the file as an older version of an archived MP3; None when it is not named like one."""
    matched = _AUDIO.fullmatch(key)
    if matched is None or matched["folder"] != "mixed_audio" or not key.endswith(".mp3"):
        return None
    if archived.get(matched["audio_id"]) != matched["recording_id"]:
        return None
    return OlderVersion(key, matched["recording_id"], matched["version"] or "")


def _part(key: str, name: str) -> str | None:
    matched = _AUDIO.fullmatch(key)
    return matched[name] if matched else None
