"""Take up MP3s that a killed sync had published and not yet written down, where Recall serves them no more.

Whatever is still served is fetched and compared; what was deleted meanwhile lies in the archive alone.
"""

import asyncio
from collections.abc import Sequence
from datetime import date

from recall_pipeline.download.decode_check import DecodeCheck, DecodeChecker
from recall_pipeline.download.rows import MIXED_AUDIO, MixedAudioRow
from recall_pipeline.storage import Archive, Layout


def recently_unavailable(archive: Archive, day: date, rows: Sequence[MixedAudioRow]) -> list[MixedAudioRow]:
    """Return the rows without bytes that were offered when they were last written down and are no more.

    Every MP3 that is to be fetched was written down so, and is looked for once.
    """
    missing = [row for row in rows if row.state is None and not row.is_offered]
    if not missing:
        return []
    archive_state = MIXED_AUDIO.read_columns(archive, day, "audio_id", "status_code", "has_url")
    offered = {audio_id for audio_id, code, has_url in archive_state if code == "done" and has_url}
    return [row for row in missing if row.audio_id in offered]


async def find_published(
    archive: Archive, day: date, row: MixedAudioRow, checker: DecodeChecker
) -> tuple[DecodeCheck, str] | None:
    """Return the proof and the key of what lies under the row's name; None unless that is a whole sound."""
    key = Layout.source(day, row.recording_id, row.audio_id)
    if not await asyncio.to_thread(archive.exists, key):
        return None
    with archive.local_copy(key) as path:
        check = await checker.check_file(path)
    return None if check.fault else (check, key)
