"""Catalog a day: normalize what is new, decide every outcome, publish the table, then drop what it no longer names."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from recall_pipeline.audio import Done, Target
from recall_pipeline.audit import erased_on
from recall_pipeline.catalog.normalization import NormalizeTask, Published, normalize_all, target_of
from recall_pipeline.catalog.row_builder import Heard, build_row, heard_anew, heard_before, heard_still, not_heard
from recall_pipeline.catalog.rows import CATALOG, CatalogRow
from recall_pipeline.days import utc_now
from recall_pipeline.discovery import RECORDINGS
from recall_pipeline.download import ARCHIVED, MIXED_AUDIO, MixedAudioRow, unanswered_on
from recall_pipeline.progress import Progress
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, Layout, mismatch


@dataclass(frozen=True, slots=True)
class Cataloged:
    """A day's catalog as it was published, and how many files were normalized for it."""

    rows: list[CatalogRow]
    normalized: int


def catalog_day(
    archive: Archive, settings: Settings, day: date, progress: Progress, again: frozenset[str] = frozenset()
) -> Cataloged:
    """Bring the day's catalog up to date with what the archive holds; every recording has a row.

    The normalized files of recordings named in `again` are read back, and made anew where they are lost or damaged.
    """
    forgotten = erased_on(archive, day).recordings
    captured = MIXED_AUDIO.read(archive, day) or []
    mp3s = _by_recording([row.redacted() if row.recording_id in forgotten else row for row in captured])
    before = {row.key: row for row in CATALOG.read(archive, day) or []}
    listened = _normalize_new(archive, settings, day, mp3s, before, again, progress)
    now = utc_now()
    rows = dict(before)  # what the other tables have lost is not lost here
    unanswered = unanswered_on(archive, day)
    had_mp3 = {row.recording_id for row in before.values() if row.audio_id}
    for recording in RECORDINGS.read(archive, day) or []:
        rows.pop(recording.recording_id, None)
        for mp3 in mp3s.get(recording.recording_id, [] if recording.recording_id in had_mp3 else [None]):
            key = mp3.audio_id if mp3 else recording.recording_id
            heard = listened.heard(archive, key)
            rows[key] = build_row(archive, recording, mp3, heard, before.get(key), now, unanswered.get(key))
    let_go = {key: before.get(key, row) for key, row in rows.items() if row.recording_id in forgotten}
    rows |= {key: row.redacted(now) for key, row in let_go.items()}
    ordered = sorted(rows.values(), key=lambda row: (row.created_at, row.recording_id, row.audio_id or ""))
    CATALOG.write(archive, day, ordered, RECORDINGS.facts(archive, day))
    _drop_replaced(archive, before.values(), ordered)
    return Cataloged(ordered, listened.normalized)


def _by_recording(rows: Sequence[MixedAudioRow]) -> dict[str, list[MixedAudioRow | None]]:
    grouped: dict[str, list[MixedAudioRow | None]] = {}
    for row in rows:
        grouped.setdefault(row.recording_id, []).append(row)
    return grouped


@dataclass(slots=True)
class _Listened:
    """What the day's MP3s sound like: heard now, or as the catalog says of those normalized before."""

    as_before: Mapping[str, CatalogRow]
    anew: dict[str, Heard]
    normalized: int = 0

    def heard(self, archive: Archive, key: str) -> Heard | None:
        """Return what was heard in the MP3 of a row; None when it is not archived."""
        row = self.as_before.get(key)
        return heard_before(archive, row) if row else self.anew.get(key)


def _normalize_new(
    archive: Archive,
    settings: Settings,
    day: date,
    mp3s: Mapping[str, Sequence[MixedAudioRow | None]],
    before: Mapping[str, CatalogRow],
    again: frozenset[str],
    progress: Progress,
) -> _Listened:
    """Normalize what is archived and not normalized as it shall be."""
    target = target_of(settings)
    archived = {mp3.audio_id: mp3 for group in mp3s.values() for mp3 in group if mp3 and mp3.state == ARCHIVED}
    normalized_before = {
        audio_id: _as_found(archive, before[audio_id], again)
        for audio_id, mp3 in archived.items()
        if _is_normalized(mp3, before.get(audio_id))
    }
    as_before = {key: row for key, row in normalized_before.items() if row.audio_recipe == target.recipe}
    listened = _Listened(as_before, {})
    rows = {**before, **normalized_before}
    tasks = [_task(archive, target, day, mp3, rows) for key, mp3 in archived.items() if key not in as_before]
    for number, done in enumerate(normalize_all(settings, tasks), start=1):
        key = done.task.audio_id
        listened.anew[key] = _columns_of(archive, done, normalized_before.get(key))
        listened.normalized += done.result is not None
        progress(number, len(tasks))
    return listened


def _is_normalized(mp3: MixedAudioRow, row: CatalogRow | None) -> bool:
    """Whether the catalog names a normalized file of these bytes, whatever its target was."""
    return row is not None and row.audio_uri is not None and row.source_sha256 == mp3.source_sha256


def _as_found(archive: Archive, row: CatalogRow, again: frozenset[str]) -> CatalogRow:
    """Return the row; without its recipe where its file is to be read back and is not what the row states."""
    key = Layout.key_in(row.audio_uri or "")
    if row.recording_id not in again or mismatch(archive, key, row.audio_bytes, row.audio_sha256) is None:
        return row
    return dataclasses.replace(row, audio_recipe=None)


def _columns_of(archive: Archive, done: Done[NormalizeTask, Published], row: CatalogRow | None) -> Heard:
    if done.result:
        return heard_anew(archive, done.task, done.result)
    return heard_still(archive, row, done.error) if row else not_heard(done.error)


def _task(
    archive: Archive, target: Target, day: date, mp3: MixedAudioRow, before: Mapping[str, CatalogRow]
) -> NormalizeTask:
    row = before.get(mp3.audio_id)
    taken = Layout.key_in(row.audio_uri) if row and row.audio_uri and row.audio_recipe else None
    return NormalizeTask(archive.location, target, day, mp3.recording_id, mp3.audio_id, mp3.source_key or "", taken)


def _drop_replaced(archive: Archive, before: Iterable[CatalogRow], rows: Iterable[CatalogRow]) -> None:
    """Remove the normalized files that the catalog named until now and no longer does."""
    named = {Layout.key_in(row.audio_uri) for row in rows if row.audio_uri}
    for row in before:
        if row.audio_uri and (key := Layout.key_in(row.audio_uri)) not in named:
            archive.remove(key)
