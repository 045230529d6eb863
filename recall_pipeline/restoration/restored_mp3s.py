"""Rows of `mixed_audio` that its table lacks, or has as they were before a restored backup, from the catalog."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from recall_pipeline.catalog import AUDIBLE, CATALOG, NEWER_VERSION, CatalogRow, Outcome
from recall_pipeline.download import ARCHIVED, CORRUPT, MIXED_AUDIO, MixedAudioRow
from recall_pipeline.restoration.stored_originals import stored_originals
from recall_pipeline.restoration.stored_values import NamedMp3, cataloged_rows, named_in
from recall_pipeline.storage import ArchiveDay, Layout

_SAME_NAME = (
    "source_bytes", "source_sha256", "source_codec", "source_sample_rate_hz", "source_channels", "source_bitrate_bps",
    "duration_seconds",
)  # fmt: skip
_NOT_STATED = ("captured_at", "captured_updated_at", "header_seconds", "bad_packets")


def restore_mp3s(day: ArchiveDay, refetch: Collection[str] = ()) -> None:
    """Let the table `mixed_audio` read as if it had each MP3 that the catalog has, or that is stored without a row.

    `refetch` names the recordings of a repair, which looks for such files too. Raises StorageError.
    """
    is_lost, stored = day.stored(MIXED_AUDIO) is None, {row.audio_id: row for row in day.rows(MIXED_AUDIO)}
    filed = [NamedMp3(row.recording_id, row.audio_id, row.source_sha256) for row in stored.values()]
    cataloged = [mp3 for mp3 in named_in(day, CATALOG) or [] if mp3.audio_id]
    originals = stored_originals(day, [*cataloged, *filed]) if is_lost or refetch else {}
    if not originals and set(cataloged) <= set(filed):
        return
    restored = {
        row.audio_id: _restored_mp3(row, stored.get(row.audio_id))
        for row in cataloged_rows(day)
        if row.audio_id and _is_lost(row, stored.get(row.audio_id))
    }
    restored |= {audio_id: _published(recording_id, audio_id) for audio_id, recording_id in originals.items()}
    if restored:
        day.amend(MIXED_AUDIO, list({**stored, **restored}.values()))


def _published(recording_id: str, audio_id: str) -> MixedAudioRow:
    """Return the row of an MP3 that a sync published and did not record: if it is not offered any more, it is found."""
    return MixedAudioRow(recording_id, audio_id, status_code="done", has_url=True)


def _restored_mp3(row: CatalogRow, before: MixedAudioRow | None) -> MixedAudioRow:
    """Return the row of an MP3 from its row in the catalog; what this does not state is null.

    `before` is an older row of it. If Recall.ai still has the MP3, it is downloaded and compared.
    """
    known = before or MixedAudioRow(row.recording_id, row.audio_id or "", status_code=row.upstream_status)
    source = _source(row)
    return dataclasses.replace(known, **source) if source else known


def _source(row: CatalogRow) -> Mapping[str, Any]:
    """Return the columns of the stored MP3; none if the row references none."""
    key = Layout.audio_key_in(row.source_uri)
    if key is None or row.source_sha256 is None or row.source_bytes is None:
        return {}
    is_corrupt = row.outcome == Outcome.CORRUPT
    columns: dict[str, Any] = {name: getattr(row, name) for name in _SAME_NAME}
    state = {"state": CORRUPT, "fault": row.outcome_reason} if is_corrupt else {"state": ARCHIVED, "fault": None}
    return dict.fromkeys(_NOT_STATED) | columns | state | {"source_key": key}


def _is_lost(row: CatalogRow, mp3: MixedAudioRow | None) -> bool:
    """Whether `mixed_audio` lacks the MP3 of a row in the catalog, or has it as it was before that version of it."""
    if mp3 is None:
        return True
    if not _source(row) or row.source_sha256 == mp3.source_sha256 or row.outcome == Outcome.FORGOTTEN:
        return False
    if mp3.state != ARCHIVED and (mp3.state is None or row.outcome in AUDIBLE):
        return True
    is_newest = NEWER_VERSION.isdisjoint(row.findings or ())
    is_older = mp3.captured_at and row.cataloged_at and mp3.captured_at < row.cataloged_at
    return bool(is_newest and is_older) and row.outcome in (AUDIBLE if mp3.state == ARCHIVED else {Outcome.CORRUPT})
