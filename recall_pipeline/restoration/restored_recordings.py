"""Rows of `recordings` that its table lacks: from the catalog, else from the rows and the names of MP3s."""

from collections.abc import Collection, Iterable

from recall_pipeline.audit import erased_in
from recall_pipeline.catalog import CATALOG, CatalogRow, FindingCode, Outcome
from recall_pipeline.days import ONE_DAY, end_of, utc_now
from recall_pipeline.discovery import RECORDINGS, RecordingRow
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.restoration.stored_originals import stored_originals
from recall_pipeline.restoration.stored_values import cataloged_rows, is_unreadable, named_in
from recall_pipeline.storage import ArchiveDay

_SAME_NAME = (
    "recording_id", "created_at", "started_at", "completed_at", "expires_at", "bot_id", "bot_name", "platform",
    "meeting_id", "metadata",
)  # fmt: skip


def restore_recordings(day: ArchiveDay, refetch: Collection[str] = ()) -> None:
    """Let the table `recordings` read as if it had each recording that the rest of the archive has.

    `refetch` names the recordings of a repair: then originals without a row count too. Raises StorageError.
    """
    stored = {row.recording_id: row for row in day.rows(RECORDINGS)}
    lost = _named_elsewhere(day, is_repair=bool(refetch))
    lost -= {name for name, row in stored.items() if not row.start_is_estimated}
    if not lost or is_unreadable(day, CATALOG):  # which may state their starts
        return
    cataloged: dict[str, list[CatalogRow]] = {}
    for row in cataloged_rows(day):
        cataloged.setdefault(row.recording_id, []).append(row)
    unknown = lost - stored.keys() - _redacted_in_catalog(day) - erased_in(day).recordings
    rows = {name: _estimated(day, name) for name in unknown}
    rows |= {name: _restored_recording(rows) for name, rows in cataloged.items() if name in lost and _has_start(rows)}
    day.amend(RECORDINGS, (stored | rows).values())


def _has_start(rows: Iterable[CatalogRow]) -> bool:
    return not any(FindingCode.START_UNKNOWN in (row.findings or ()) for row in rows)


def _named_elsewhere(day: ArchiveDay, *, is_repair: bool) -> set[str]:
    """Return the id of each recording that another table states, or the name of an original.

    Originals without a row are looked for in a repair, and where the day has no table `mixed_audio`.
    """
    mp3s = named_in(day, MIXED_AUDIO)
    named = [*(named_in(day, CATALOG) or []), *(mp3s or [])]
    originals = stored_originals(day, named) if is_repair or mp3s is None else {}
    return {mp3.recording_id for mp3 in named} | set(originals.values())


def _redacted_in_catalog(day: ArchiveDay) -> set[str]:
    """Return the recordings that are redacted in the catalog."""
    return {row.recording_id for row in day.rows(CATALOG) if row.outcome == Outcome.FORGOTTEN}


def _restored_recording(rows: Iterable[CatalogRow]) -> RecordingRow:
    """Return the row of a recording from its rows in the catalog; what these do not state is null."""
    first, *_ = rows = list(rows)
    has_mp3 = any(row.audio_id for row in rows)
    return RecordingRow(
        **{name: getattr(first, name) for name in _SAME_NAME},
        status_code=None if has_mp3 else first.upstream_status,  # else it is that of the MP3
        bot_media_expired=any(map(_shows_expired_media, rows)),
        has_mp3=has_mp3 or None,
    )


def _shows_expired_media(row: CatalogRow) -> bool:
    """Whether a row is `expired` without being past its `expires_at`: then it is the bot that states it."""
    return row.outcome == Outcome.EXPIRED and (row.expires_at is None or row.expires_at >= utc_now())


def _estimated(day: ArchiveDay, recording_id: str) -> RecordingRow:
    """Return the row of a recording of which the archive has an MP3 and nothing else."""
    midnight = end_of(day.day) - ONE_DAY
    return RecordingRow(recording_id, created_at=midnight, has_mp3=True, start_is_estimated=True)
