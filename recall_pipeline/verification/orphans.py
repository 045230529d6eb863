"""Unreferenced files: older versions (kept, docs/design/interface.md, section 3) and orphans.

An orphan is removed only if its bytes are also cataloged and verified under another name of the same audio. Every
other orphan is left to the operator.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from recall_pipeline.errors import StorageError
from recall_pipeline.storage import AUDIO_FOLDERS, Archive, FolderName, Layout, mismatch
from recall_pipeline.verification.codes import Code
from recall_pipeline.verification.erased import erased_recording
from recall_pipeline.verification.problems import Problem
from recall_pipeline.verification.referenced_files import ReferencedFile, Tables

FOLDERS: tuple[FolderName, ...] = (
    "bots",
    "recordings",
    "mixed_audio",
    "audio_catalog",
    "normalized_audio",
    "waveforms",
)
_AUDIO = re.compile(
    r"(?P<folder>\w+)/day=[\d-]+/(?P<recording_id>[^/]+)/(?P<audio_id>[^/.]+)(\.(?P<version>[0-9a-f]{8}))?\.\w+"
)


@dataclass(frozen=True, slots=True)
class OlderVersion:
    """An older version of an MP3; `version` is a prefix of its SHA-256, empty for the first version."""

    key: str
    recording_id: str
    version: str


def unreferenced(archive: Archive, tables: Tables) -> Iterator[OlderVersion | Problem]:
    """Yield every unreferenced file of the day, as older version or as problem, and every file of erased recordings.

    If a table is lost or unreadable, yields only files of erased recordings. A day without any table is one of which
    only files are left. A folder that cannot be listed is a problem of its own. Raises StorageError if the storage
    does not answer.
    """
    for folder in FOLDERS:
        try:
            yield from _unreferenced_in(archive, folder, tables)
        except StorageError as error:
            if error.retry_can_help:
                raise
            yield Problem(tables.day, Code.FILE_UNREADABLE, Layout.folder(folder, tables.day), str(error))


def _unreferenced_in(archive: Archive, folder: FolderName, tables: Tables) -> Iterator[OlderVersion | Problem]:
    is_complete = tables.name_all_files or tables.is_lost
    referenced = tables.files.keys()
    archived = {row.audio_id: row.recording_id for row in tables.mp3s if row.source_key}
    for key in _stored(archive, folder, tables.day):
        recording_id = Layout.recording_in(key)
        if recording_id in tables.erased.recordings:
            yield erased_recording(tables.day, recording_id or "", key)
        elif is_complete and key not in referenced:
            yield _older_version(key, archived) or Problem(
                tables.day, _code_of(key), key, "is not referenced by any row", _part(key, "recording_id")
            )


def version_in(key: str) -> str | None:
    """Return the prefix of the SHA-256 in the name of an audio file; None if its name has none."""
    return _part(key, "version")


def _code_of(key: str) -> Code:
    """Return the code of an orphan: whether it has the name of an audio file."""
    matched = _AUDIO.fullmatch(key)
    is_audio = matched is not None and matched["folder"] in AUDIO_FOLDERS
    return Code.FILE_UNREFERENCED if is_audio else Code.FILE_UNEXPECTED


def strange_names(archive: Archive) -> Iterator[str]:
    """Yield the key of each folder or file beside the days of a table that is not a day.

    A name that begins with `_` or `.` is skipped, as readers of Hive tables do. Raises StorageError.
    """
    for folder in (*FOLDERS, "transcripts", "audit"):
        for name in archive.names(folder):
            day = Layout.day_in(name)
            if not name.startswith(("_", ".")) and (day is None or name != f"day={day}"):
                yield f"{folder}/{name}"


def remove_if_redundant(archive: Archive, tables: Tables, key: str) -> bool:
    """Remove an orphan if the same bytes are cataloged under another name of the same audio; return whether they are.

    The caller holds the lock of the day, and reads `tables` after it acquires the lock.
    """
    files = tables.files
    if not tables.name_all_files or key in files:
        return False
    same_audio = [file for file in files.values() if file.audio_id == _part(key, "audio_id")]
    is_redundant = any(_has_same_bytes(archive, key, file) for file in same_audio)
    if is_redundant:
        archive.remove(key)
    return is_redundant


def _has_same_bytes(archive: Archive, key: str, file: ReferencedFile) -> bool:
    return all(mismatch(archive, stored, file.size_bytes, file.sha256) is None for stored in (key, file.key))


def _stored(archive: Archive, folder: FolderName, day: date) -> Iterable[str]:
    """Yield the keys of the files of a day in a folder, except its table."""
    return (key for key in archive.sizes_below(Layout.folder(folder, day)) if not key.endswith(f"/{folder}.parquet"))


def _older_version(key: str, archived: Mapping[str, str]) -> OlderVersion | None:
    """Return the file as an older version of an archived MP3; None if its key does not have that form."""
    matched = _AUDIO.fullmatch(key)
    if matched is None or matched["folder"] != "mixed_audio" or not key.endswith(".mp3"):
        return None
    if archived.get(matched["audio_id"]) != matched["recording_id"]:
        return None
    return OlderVersion(key, matched["recording_id"], matched["version"] or "")


def _part(key: str, name: str) -> str | None:
    matched = _AUDIO.fullmatch(key)
    return matched[name] if matched else None
