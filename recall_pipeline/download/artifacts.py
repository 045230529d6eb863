"""Which MP3 artifacts the day's recordings have.

The walk over the day's artifacts and the shortcuts within recordings tell nearly all; one question each settles
what they leave open. Platforms that make no MP3, and bots that were not told to, leave nothing open
(docs/design/recall-api.md, section 3).
"""

from collections.abc import Iterable, Sequence
from datetime import date

from recall_pipeline.audit import erased_on
from recall_pipeline.discovery import RecordingRow
from recall_pipeline.download.rows import ARCHIVED, MIXED_AUDIO, MixedAudioRow
from recall_pipeline.errors import RecallError
from recall_pipeline.recall_api import (
    DELETED,
    IN_PROGRESS,
    AudioMixed,
    Listing,
    Meeting,
    RecallClient,
    capture_errors,
    lookup_many,
)
from recall_pipeline.storage import Archive

Shown = dict[str, tuple[str, AudioMixed]]
"""Artifacts by their own id, each with its recording's id."""


async def find_artifacts(
    client: RecallClient, listing: Listing, archive: Archive, day: date, recordings: Sequence[RecordingRow]
) -> tuple[list[MixedAudioRow], dict[str, AudioMixed]]:
    """Return the day's MP3 rows as Recall shows them now, and the artifacts that were shown, by id."""
    forgotten = erased_on(archive, day).recordings
    recordings = [row for row in recordings if row.recording_id not in forgotten]
    archive_state = MIXED_AUDIO.read(archive, day) or []
    known = {row.audio_id: row for row in archive_state if row.recording_id not in forgotten}
    shown = await _shown(client, listing, recordings, known.values())
    hidden = _hidden(shown, known, {row.recording_id for row in recordings if row.is_gone})
    found = await _read_each(client, hidden)
    shown.update({audio_id: (known[audio_id].recording_id, audio) for audio_id, audio in found.items() if audio})
    answers = await _read_each(client, _without_url(shown, known))
    shown.update({audio_id: (shown[audio_id][0], audio) for audio_id, audio in answers.items() if audio})
    in_doubt = set(hidden) - found.keys()
    rows = {
        audio_id: row if audio_id in in_doubt else row.marked_deleted()
        for audio_id, row in known.items()
        if audio_id not in shown
    }
    for recording_id, audio in shown.values():
        row = known.get(audio.id, MixedAudioRow(recording_id, audio.id)).updated_from(audio)
        rows[audio.id] = row.marked_deleted() if answers.get(audio.id, audio) is None else row
    rows |= {row.audio_id: row.redacted() for row in archive_state if row.recording_id in forgotten}
    ordered = sorted(rows.values(), key=lambda row: (row.recording_id, row.audio_id))
    return ordered, {audio_id: audio for audio_id, (_, audio) in shown.items()}


async def _shown(
    client: RecallClient, listing: Listing, recordings: Sequence[RecordingRow], known: Iterable[MixedAudioRow]
) -> Shown:
    """Return the MP3 artifacts of these recordings."""
    everywhere = listing.artifacts_by_recording()
    with_known = {row.recording_id for row in known}
    shown: Shown = {}
    open_questions = []
    for row in recordings:
        mp3s = [audio for audio in everywhere.get(row.recording_id, {}).values() if audio.is_mp3]
        shown.update({audio.id: (row.recording_id, audio) for audio in mp3s})
        if not mp3s and row.recording_id not in with_known and _may_have_mp3(row):
            open_questions.append(row.recording_id)
    for recording_id, found in (await lookup_many(capture_errors(client.audio_mixed_of), open_questions)).items():
        if isinstance(found, RecallError):
            listing.unanswered[recording_id] = str(found)
            continue
        listing.unanswered.pop(recording_id, None)
        shown.update({audio.id: (recording_id, audio) for audio in found.values() if audio.is_mp3})
    return shown


def _may_have_mp3(row: RecordingRow) -> bool:
    """Whether an MP3 may exist although nothing shows it."""
    if row.is_gone or row.status_code == DELETED or row.status_code in IN_PROGRESS:
        return False
    return row.mp3_requested is not False and Meeting(row.platform).makes_mp3


def _hidden(shown: Shown, known: dict[str, MixedAudioRow], recordings_gone: set[str]) -> list[str]:
    """Return each known artifact that nothing shows any more, unless it or its recording is known to be gone."""
    return [
        row.audio_id
        for row in known.values()
        if row.audio_id not in shown and row.recording_id not in recordings_gone and row.status_code != DELETED
    ]


def _without_url(shown: Shown, known: dict[str, MixedAudioRow]) -> list[str]:
    """Return each finished artifact that came without a URL and is not archived yet."""
    archived = {row.audio_id for row in known.values() if row.state == ARCHIVED}
    return [
        audio.id
        for _, audio in shown.values()
        if audio.status.code == "done" and audio.download_url is None and audio.id not in archived
    ]


async def _read_each(client: RecallClient, audio_ids: Sequence[str]) -> dict[str, AudioMixed | None]:
    """Read artifacts by their ids; None: it is gone. One that Recall fails to show is left out, and stops no other."""
    answers = await lookup_many(capture_errors(client.audio_mixed_by_id), audio_ids)
    return {audio_id: answer for audio_id, answer in answers.items() if not isinstance(answer, RecallError)}
