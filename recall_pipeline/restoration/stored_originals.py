"""Originals of a day that no table names: their own names state the recording and the MP3."""

import contextlib
import re
from collections.abc import Collection, Iterator, Set
from uuid import UUID

from recall_pipeline.audit import erased_in
from recall_pipeline.restoration.stored_values import NamedMp3
from recall_pipeline.storage import ArchiveDay, Layout, sha256_of

_NAME = re.compile(r"mixed_audio/day=[\d-]+/([^/]+)/([^/.]+)(?:\.[0-9a-f]{8})?\.mp3")


def stored_originals(day: ArchiveDay, named: Collection[NamedMp3]) -> dict[str, str]:
    """Return the recording ids of the originals that no row names, by MP3 id. Raises StorageError.

    `named`: all MP3s that the day's rows name. Left out are erased recordings, and copies of bytes that a row has: such
    a file was renamed.
    """
    return dict(_unnamed(day, {mp3.audio_id for mp3 in named}, {mp3.source_sha256 for mp3 in named}))


def _unnamed(day: ArchiveDay, names: Set[str | None], hashes: Set[str | None]) -> Iterator[tuple[str, str]]:
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
