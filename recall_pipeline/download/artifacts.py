"""Which MP3 artifacts the day's recordings have: the rows of `mixed_audio` as Recall.ai shows them now."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import SecretStr

from recall_pipeline.audit import erased_in
from recall_pipeline.days import utc_now
from recall_pipeline.discovery import RECORDINGS, RecordingRow
from recall_pipeline.download.rows import ARCHIVED, MIXED_AUDIO, MixedAudioRow
from recall_pipeline.errors import RecallError
from recall_pipeline.recall_api import (
    DELETED,
    AudioMixed,
    RecallClient,
    Upstream,
    capture_errors,
    lookup_many,
    no_links_error,
)
from recall_pipeline.storage import ArchiveDay

_URL_DUE_WITHIN = timedelta(hours=1)
_FEWEST_WITHOUT_URL = 5
Shown = dict[str, tuple[str, AudioMixed]]
"""Artifacts by artifact id, each with its recording's id."""


async def find_artifacts(
    day: ArchiveDay, upstream: Upstream, refetch: frozenset[str] = frozenset()
) -> tuple[list[MixedAudioRow], dict[str, SecretStr]]:
    """Return the day's MP3 rows as Recall.ai shows them now, and their download URLs, by artifact id.

    The artifacts of the recordings in `refetch` are looked up even if a list shows one.
    """
    erased = erased_in(day).recordings
    recordings = [row for row in day.rows(RECORDINGS) if row.recording_id not in erased]
    known = {row.audio_id: row for row in day.rows(MIXED_AUDIO) if row.recording_id not in erased}
    shown = await _shown(upstream, recordings, {row.recording_id for row in known.values()}, refetch)
    hidden = _hidden(shown, known, {row.recording_id for row in recordings if row.is_gone})
    found = await _read_each(upstream.client, hidden)
    shown |= {audio_id: (known[audio_id].recording_id, audio) for audio_id, audio in found.items() if audio}
    answers = await _read_each(upstream.client, _without_url(shown, known))
    shown |= {audio_id: (shown[audio_id][0], audio) for audio_id, audio in answers.items() if audio}
    _require_links(shown, known, recordings)
    in_doubt = set(hidden) - found.keys()
    rows = {
        audio_id: row if audio_id in in_doubt else row.marked_deleted()
        for audio_id, row in known.items()
        if audio_id not in shown
    }
    for recording_id, audio in shown.values():
        row = known.get(audio.id, MixedAudioRow(recording_id, audio.id)).updated_from(audio)
        rows[audio.id] = row.marked_deleted() if answers.get(audio.id, audio) is None else row
    rows |= {row.audio_id: row.redacted() for row in day.rows(MIXED_AUDIO) if row.recording_id in erased}
    ordered = sorted(rows.values(), key=lambda row: (row.recording_id, row.audio_id))
    return ordered, {audio_id: url for audio_id, (_, audio) in shown.items() if (url := audio.download_url)}


async def _shown(
    upstream: Upstream, recordings: Sequence[RecordingRow], with_row: set[str], refetch: frozenset[str]
) -> Shown:
    """Return the MP3 artifacts of these recordings; those that only a lookup shows are looked up again if need be."""
    shown = _mp3s(upstream, (row.recording_id for row in recordings))
    listed = {recording_id for recording_id, _ in shown.values()}
    with_mp3 = {row.recording_id for row in recordings if row.has_mp3}
    looked_up = (with_mp3 - listed - with_row) | (with_mp3 & refetch)
    await upstream.look_up_artifacts_of(looked_up)
    return shown | _mp3s(upstream, looked_up)


def _mp3s(upstream: Upstream, recording_ids: Iterable[str]) -> Shown:
    found = upstream.artifacts_of(recording_ids)
    return {audio.id: (name, audio) for name, artifacts in found for audio in artifacts.values() if audio.is_mp3}


def _hidden(shown: Shown, known: Mapping[str, MixedAudioRow], recordings_gone: set[str]) -> list[str]:
    """Return each known artifact that nothing shows any more, unless it or its recording is known to be gone."""
    return [
        row.audio_id
        for row in known.values()
        if row.audio_id not in shown and row.recording_id not in recordings_gone and row.status_code != DELETED
    ]


def _without_url(shown: Shown, known: Mapping[str, MixedAudioRow]) -> list[str]:
    """Return each finished artifact that came without a URL and whose latest version is not archived yet."""
    without_url = (audio for _, audio in shown.values() if audio.status.code == "done" and audio.download_url is None)
    return [audio.id for audio in without_url if not _is_archived(known.get(audio.id), audio)]


def _is_archived(row: MixedAudioRow | None, audio: AudioMixed) -> bool:
    return row is not None and row.state == ARCHIVED and row.updated_from(audio).is_settled


def _require_links(shown: Shown, known: Mapping[str, MixedAudioRow], recordings: Sequence[RecordingRow]) -> None:
    """Raise RecallProtocolError if several MP3s of the day are done for over an hour, and Recall shows no URL at all.

    Then the API has changed, and to wait for the URLs would lose the recordings.
    """
    now = utc_now()
    lasting = {
        row.recording_id
        for row in recordings
        if not (row.is_gone or row.bot_media_expired or (row.expires_at is not None and row.expires_at < now))
    }
    archived = {row.audio_id for row in known.values() if row.state == ARCHIVED}
    without = [
        audio
        for recording_id, audio in shown.values()
        if recording_id in lasting and audio.id not in archived and _is_done_since(audio, now - _URL_DUE_WITHIN)
    ]
    if len(without) >= _FEWEST_WITHOUT_URL and not any(audio.download_url for _, audio in shown.values()):
        raise no_links_error(without[0].row_shape, len(without))


def _is_done_since(audio: AudioMixed, moment: datetime) -> bool:
    done_at = audio.status.updated_at or audio.created_at
    return audio.status.code == "done" and done_at is not None and done_at < moment


async def _read_each(client: RecallClient, audio_ids: Sequence[str]) -> dict[str, AudioMixed | None]:
    """Read artifacts by their ids; None: it is gone. One that Recall fails to show is left out, and stops no other."""
    answers = await lookup_many(capture_errors(client.audio_mixed_by_id), audio_ids)
    return {audio_id: answer for audio_id, answer in answers.items() if not isinstance(answer, RecallError)}
