"""Take up MP3s that a killed sync had published and not yet written down, where Recall serves them no more.

Whatever is still served is fetched and compared; what was deleted meanwhile lies in the archive alone.
"""

import asyncio
from collections.abc import Sequence
from datetime import date

from recall_pipeline.capture.proof import Evidence, Prover
from recall_pipeline.capture.rows import GONE, MIXED_AUDIO, MixedAudioRow
from recall_pipeline.storage import Archive, Layout


def just_gone(archive: Archive, day: date, rows: Sequence[MixedAudioRow]) -> list[MixedAudioRow]:
    """Return the rows without bytes that were not gone when they were last written down: each is looked for once."""
    missing = [row for row in rows if row.status_code == GONE and row.state is None]
    if not missing:
        return []
    there_before = {audio_id for audio_id, code in _codes(archive, day) if code != GONE}
    return [row for row in missing if row.audio_id in there_before]


async def found_in_archive(
    archive: Archive, day: date, row: MixedAudioRow, prover: Prover
) -> tuple[Evidence, str] | None:
    """Return the proof and the key of what lies under the row's name; None unless that is a whole sound."""
    key = Layout.source(day, row.recording_id, row.audio_id)
    if not await asyncio.to_thread(archive.exists, key):
        return None
    with archive.local_copy(key) as path:
        evidence = await prover.examine(path)
    return None if evidence.fault else (evidence, key)


def _codes(archive: Archive, day: date) -> list[tuple[str, str | None]]:
    return MIXED_AUDIO.read_columns(archive, day, "audio_id", "status_code")
