"""Recover MP3s that are stored and not recorded, if Recall.ai no longer serves them.

An interrupted sync leaves such a file, or the loss of the tables. What is still served is fetched and compared instead.
"""

import asyncio
from collections.abc import Sequence
from datetime import date

from recall_pipeline.download.decode_check import DecodeCheck, DecodeChecker
from recall_pipeline.download.rows import MixedAudioRow
from recall_pipeline.storage import Archive, Layout


def recently_unavailable(filed: Sequence[MixedAudioRow], rows: Sequence[MixedAudioRow]) -> list[MixedAudioRow]:
    """Return the rows without bytes that were offered when they were last filed and are not offered now.

    A row is filed before its download begins, so each is looked for once.
    """
    offered = {row.audio_id for row in filed if row.is_offered}
    return [row for row in rows if row.state is None and not row.is_offered and row.audio_id in offered]


async def find_published(
    archive: Archive, day: date, row: MixedAudioRow, checker: DecodeChecker
) -> tuple[DecodeCheck, str] | None:
    """Return the decode check and the key of the file stored under the row's name; None unless one is whole.

    Of several versions it is rather a later one than the first one.
    """
    for key in await asyncio.to_thread(_stored_versions, archive, day, row):
        with archive.local_copy(key) as path:
            check = await checker.check_file(path)
        if check.fault is None:
            return check, key
    return None


def _stored_versions(archive: Archive, day: date, row: MixedAudioRow) -> list[str]:
    """Return the keys of all stored versions of an MP3; the first version comes last."""
    first = Layout.source(day, row.recording_id, row.audio_id)
    start = first.removesuffix("mp3")
    stored = archive.sizes_below(first.rpartition("/")[0])
    later = [key for key in stored if key.startswith(start) and key.endswith(".mp3") and key != first]
    return [*later, first] if archive.exists(first) else later
