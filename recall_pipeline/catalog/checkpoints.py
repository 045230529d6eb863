"""Checkpoints of a normalization: a small record beside the archive's tables for each file that was published.

The record is written right after the file was published. The catalog takes up recorded files, of the decode checks of
the same run or of an interrupted one, and removes all records once it is written. Readers never see a partial catalog
(docs/design/adr/0017-checkpoints-beside-the-catalog.md).
"""

import contextlib
import dataclasses
import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recall_pipeline.audio import Peaks
from recall_pipeline.catalog.audio_columns import AudioColumns
from recall_pipeline.storage import Archive, ArchiveDay, Layout, size_mismatch

_READ_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A published normalized file: the MP3 and the version of it that it was made of, and its columns."""

    audio_id: str
    source_sha256: str | None
    columns: AudioColumns

    @property
    def recipe(self) -> str:
        """The engine and the target that made the file."""
        return str(self.columns.values["audio_recipe"])


def write_checkpoint(archive: Archive, key: str, checkpoint: Checkpoint) -> None:
    """Record a published file under `key`. Raises StorageError."""
    with archive.staged_file(suffix=".json") as staged:
        staged.write_text(json.dumps(dataclasses.asdict(checkpoint), default=list), "utf-8")
        archive.publish(staged, key)


def read_checkpoints(day: ArchiveDay) -> Iterator[Checkpoint]:
    """Yield the recorded files of `day` that are stored with the recorded size, each once. Raises StorageError.

    A record that cannot be read counts as absent: its file is made again.
    """
    keys = list(day.archive.sizes_below(Layout.checkpoints(day.day)))
    if not keys:
        return
    stored = day.archive.sizes_below(Layout.folder("normalized_audio", day.day))
    for content in _contents(day.archive, keys):
        found = _checkpoint(day.archive, content)
        if found and _is_stored(found.columns.values, stored):
            yield found


def remove_checkpoints(day: ArchiveDay) -> None:
    """Remove the records of `day`, since its catalog has their rows. Raises StorageError."""
    folder = Layout.checkpoints(day.day)
    if day.archive.is_local or day.archive.sizes_below(folder):
        day.archive.remove_below(folder)
    if day.archive.is_local:
        with contextlib.suppress(OSError):
            day.archive.local_path(folder).parent.rmdir()


def _checkpoint(archive: Archive, content: bytes) -> Checkpoint | None:
    try:
        stored = json.loads(content)
        columns = AudioColumns(**stored["columns"])
        values = {**columns.values, "audio_uri": archive.uri(columns.values["audio_key"])}  # it may have moved
        peaks = _peaks(**stored["columns"]["peaks"])
        columns = dataclasses.replace(columns, values=values, codes=tuple(columns.codes), peaks=peaks)
        return Checkpoint(stored["audio_id"], stored["source_sha256"], columns)
    except (ValueError, KeyError, TypeError, OverflowError):  # of another version, or cut short by a loss of power
        return None


def _peaks(peak_seconds: float, minima: list[int], maxima: list[int]) -> Peaks:
    return Peaks(peak_seconds, array("b", minima), array("b", maxima))


def _contents(archive: Archive, keys: Sequence[str]) -> Iterator[bytes]:
    """Yield the contents of the records, some of them in memory: each has up to 16 kB of peaks."""
    for start in range(0, len(keys), _READ_AT_ONCE):
        yield from archive.read_many(keys[start : start + _READ_AT_ONCE]).values()


def _is_stored(values: Mapping[str, Any], stored: Mapping[str, int]) -> bool:
    return size_mismatch(stored.get(values["audio_key"]), values["audio_bytes"]) is None
