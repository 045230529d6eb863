"""Originals of a day that no table names: their own names state the recording and the MP3."""

import contextlib
import re
from collections.abc import Iterator
from uuid import UUID

from recall_pipeline.audit import erased_in
from recall_pipeline.catalog import CATALOG
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.restoration.stored_values import is_lost, stored_values
from recall_pipeline.storage import ArchiveDay, Layout, sha256_of

_NAME = re.compile(r"mixed_audio/day=[\d-]+/([^/]+)/([^/.]+)(?:\.[0-9a-f]{8})?\.mp3")


def stored_originals(day: ArchiveDay, *, is_repair: bool) -> dict[str, str]:
    """Return the recording ids of the originals that no row names, by MP3 id. Raises StorageError.

    They are looked for where the day has no table `mixed_audio`, or in a repair. Left out are erased recordings, and
    copies of bytes that a row has: such a file was renamed.
    """
    return dict(_unnamed(day)) if is_repair or is_lost(day, MIXED_AUDIO) else {}


def _unnamed(day: ArchiveDay) -> Iterator[tuple[str, str]]:
    stored = [row for table in (CATALOG, MIXED_AUDIO) for row in stored_values(day, table, "audio_id", "source_sha256")]
    names, hashes = {name for name, _ in stored}, {sha256 for _, sha256 in stored}
    erased = erased_in(day).recordings
    for key in day.archive.sizes_below(Layout.folder("mixed_audio", day.day)):
        recording_id, audio_id = found.groups() if (found := _NAME.fullmatch(key)) else ("", "")
        if not _is_id(recording_id) or not _is_id(audio_id) or recording_id in erased or audio_id in names:
            continue
        with day.archive.local_copy(key) as path:
            if sha256_of(path) not in hashes:
                yield audio_id, recording_id


def _is_id(name: str) -> bool:
    """Whether this is an id as Recall.ai writes it."""
    with contextlib.suppress(ValueError):
        return str(UUID(name)) == name
    return False
