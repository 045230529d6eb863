"""Recover MP3s that an interrupted sync stored but did not record, if Recall.ai no longer serves them.

What is still served is fetched and compared instead.
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
    """Return the decode check and the key of the file stored under the row's name; None unless it is whole."""
    key = Layout.source(day, row.recording_id, row.audio_id)
    if not await asyncio.to_thread(archive.exists, key):
        return None
    with archive.local_copy(key) as path:
        check = await checker.check_file(path)
    return None if check.fault else (check, key)
