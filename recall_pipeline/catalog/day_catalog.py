"""Catalog a day: normalize what is new, decide each outcome, write the tables, then delete unreferenced files."""

import dataclasses
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from recall_pipeline.audio import Done, Target
from recall_pipeline.audit import erased_in
from recall_pipeline.catalog.audio_columns import AudioColumns
from recall_pipeline.catalog.audio_targets import SAME_SETTINGS, opposing_use, uses_in, uses_near, with_use
from recall_pipeline.catalog.checkpoints import read_checkpoints, remove_checkpoints
from recall_pipeline.catalog.normalization import NormalizeTask, normalize_all, target_of
from recall_pipeline.catalog.outcomes import AUDIBLE, Outcome
from recall_pipeline.catalog.row_builder import build_row
from recall_pipeline.catalog.rows import CATALOG, CatalogRow
from recall_pipeline.catalog.spooled_columns import SpooledColumns
from recall_pipeline.catalog.waveforms import write_waveforms
from recall_pipeline.days import utc_now
from recall_pipeline.discovery import RECORDINGS, RecordingRow
from recall_pipeline.download import ARCHIVED, MIXED_AUDIO, MixedAudioRow
from recall_pipeline.progress import Progress, no_progress
from recall_pipeline.settings import Settings
from recall_pipeline.storage import ArchiveDay, Layout, mismatch

_log = logging.getLogger("recall_pipeline.waits")  # the command line shows these messages


@dataclass(frozen=True, slots=True)
class CatalogReport:
    """A day's catalog as it was written, and how many files were normalized for it."""

    rows: list[CatalogRow]
    normalized: int


def sync_catalog(
    day: ArchiveDay,
    settings: Settings,
    progress: Progress = no_progress,
    refetch: frozenset[str] = frozenset(),
    deployment: str = "",
) -> CatalogReport:
    """Write the catalog of a day from the tables `recordings` and `mixed_audio`; every recording has a row.

    The normalized files of recordings in `refetch` are compared with their rows, and rebuilt on a mismatch or if an
    older engine made them. `deployment` is the id of the one at work: files of other settings stay while another one is
    at work with those (`audio_targets`). Raises TableMissing where the day has none of these tables, and StorageError.
    """
    recordings = day.take(RECORDINGS)
    before = {row.key: row for row in day.rows(CATALOG)}
    mp3s = _mp3s_by_recording(day)
    kept_as_is = _is_opposed(day, target_of(settings), before, deployment)
    with SpooledColumns(day.archive) as columns:
        made = _put_audio_columns(columns, day, settings, mp3s, before, refetch, progress, kept_as_is=kept_as_is)
        now = utc_now()
        rows = _rows(day, recordings.rows, mp3s, before, columns, now)
        if settings.is_past_retention(day.day, now.date()):
            rows = {key: _without_download(row) for key, row in rows.items()}
        rows = _redacted(day, rows, before, read_again=made.normalized > 0)
        ordered = sorted(rows.values(), key=lambda row: (row.created_at, row.recording_id, row.audio_id or ""))
        # first: what was made is not made again after the catalog
        write_waveforms(day, before.values(), ordered, columns)
    uses = uses_in(stored.facts if (stored := day.stored(CATALOG)) else {})
    day.write(CATALOG, ordered, {**recordings.facts, **with_use(uses, target_of(settings).text, deployment, now)})
    _remove_replaced(day, before.values(), ordered, made.unused)
    if not before:
        _remove_redundant(day, ordered)
    remove_checkpoints(day)
    return CatalogReport(ordered, made.normalized)


@dataclass(frozen=True, slots=True)
class _Made:
    """How many files were normalized, and the keys of recorded files of no use."""

    normalized: int
    unused: Collection[str]


def _is_opposed(day: ArchiveDay, target: Target, before: Mapping[str, CatalogRow], deployment: str) -> bool:
    """Return whether files of another target stay, since another deployment would undo what this one makes of them."""
    if all(target.made(row.audio_recipe) for row in before.values() if row.audio_recipe):
        return False
    opposing = opposing_use(uses_near(day.archive, day.day), target.text, deployment, utc_now())
    if opposing is not None:
        _log.warning(
            "%s: files stay as another deployment normalized them (%s): %s", day.day, opposing.text, SAME_SETTINGS
        )
    return opposing is not None


def _mp3s_by_recording(day: ArchiveDay) -> dict[str, list[MixedAudioRow]]:
    erased = erased_in(day).recordings
    grouped: dict[str, list[MixedAudioRow]] = {}
    for row in day.take(MIXED_AUDIO).rows:
        grouped.setdefault(row.recording_id, []).append(row.redacted() if row.recording_id in erased else row)
    return grouped


def _rows(
    day: ArchiveDay,
    recordings: list[RecordingRow],
    mp3s: dict[str, list[MixedAudioRow]],
    before: Mapping[str, CatalogRow],
    audio: Mapping[str, AudioColumns],
    now: datetime,
) -> dict[str, CatalogRow]:
    """Return a row per MP3, and per recording without one; rows that the other tables have lost are kept.

    Empties `recordings` and `mp3s`: the memory of one row is free for the next.
    """
    rows = dict(before)
    had_mp3 = {row.recording_id for row in before.values() if row.audio_id}
    while recordings:
        recording = recordings.pop()
        rows.pop(recording.recording_id, None)
        without: list[MixedAudioRow | None] = [] if recording.recording_id in had_mp3 else [None]
        for mp3 in mp3s.pop(recording.recording_id, without):
            key = mp3.audio_id if mp3 else recording.recording_id
            rows[key] = build_row(day.archive, recording, mp3, audio.get(key), before.get(key), now)
    return rows


def _without_download(row: CatalogRow) -> CatalogRow:
    """Return the row of a day that is older than RECALL_RETENTION_DAYS: what is not archived stays so."""
    return row.redacted() if row.outcome == Outcome.DOWNLOAD_FAILED and row.source_uri is None else row


def _redacted(
    day: ArchiveDay, rows: Mapping[str, CatalogRow], before: Mapping[str, CatalogRow], *, read_again: bool
) -> dict[str, CatalogRow]:
    """Return the rows with those of erased recordings redacted; another host may have erased while files were made."""
    erased = erased_in(day, read_again=read_again).recordings
    return {key: before.get(key, row).redacted() if row.recording_id in erased else row for key, row in rows.items()}


def _put_audio_columns(
    columns: SpooledColumns,
    day: ArchiveDay,
    settings: Settings,
    mp3s: Mapping[str, Sequence[MixedAudioRow]],
    before: Mapping[str, CatalogRow],
    refetch: frozenset[str],
    progress: Progress,
    *,
    kept_as_is: bool,
) -> _Made:
    """Put the audio columns of every archived MP3 into `columns`; normalize what has no current file."""
    target = target_of(settings)
    archived = {mp3.audio_id: mp3 for group in mp3s.values() for mp3 in group if mp3.state == ARCHIVED}
    previous = {
        audio_id: _checked(day, before[audio_id], refetch)
        for audio_id, mp3 in archived.items()
        if _is_normalized(mp3, before.get(audio_id))
    }
    for key, row in previous.items():
        if _is_current(row, target, refetch) or (kept_as_is and row.audio_recipe and row.recording_id not in refetch):
            columns.put(key, AudioColumns.from_catalog(day.archive, row))
    for key, row in _kept(mp3s, before).items():
        columns.put(key, AudioColumns.from_older_version(day.archive, row))
    missing = {key: mp3 for key, mp3 in archived.items() if key not in columns}
    unused = _take_up(columns, day, target, missing, refetch) if missing else []
    rows = {**before, **previous}
    tasks = [NormalizeTask.of(day, target, mp3, rows.get(key)) for key, mp3 in missing.items() if key not in columns]
    normalized = 0
    for number, done in enumerate(normalize_all(settings, tasks), start=1):
        columns.put(done.task.audio_id, _columns_of(day, done, rows.get(done.task.audio_id)))
        normalized += done.result is not None
        progress(number, len(tasks))
    return _Made(normalized, unused)


def _take_up(
    columns: SpooledColumns,
    day: ArchiveDay,
    target: Target,
    missing: Mapping[str, MixedAudioRow],
    refetch: frozenset[str],
) -> list[str]:
    """Put in the columns of files that were published and not cataloged yet; return the keys of other such files."""
    unused = []
    for found in read_checkpoints(day):
        mp3 = missing.get(found.audio_id)
        is_wanted = mp3 is not None and mp3.recording_id not in refetch
        if mp3 and is_wanted and (found.source_sha256, found.recipe) == (mp3.source_sha256, target.recipe):
            columns.put(found.audio_id, found.columns)
        else:
            unused.append(found.columns.values["audio_key"])
    return unused


def _kept(mp3s: Mapping[str, Sequence[MixedAudioRow]], before: Mapping[str, CatalogRow]) -> dict[str, CatalogRow]:
    """Return the rows with audio of which `mixed_audio` knows no archived version: that table was lost."""
    unknown = {mp3.audio_id for group in mp3s.values() for mp3 in group if mp3.state != ARCHIVED}
    proven = {key: row for key, row in before.items() if row.outcome in AUDIBLE and row.audio_uri and row.source_uri}
    return {key: row for key, row in proven.items() if key in unknown}


def _is_normalized(mp3: MixedAudioRow, row: CatalogRow | None) -> bool:
    """Whether the catalog references a normalized file of these bytes, whatever its target was."""
    return row is not None and row.audio_uri is not None and row.source_sha256 == mp3.source_sha256


def _is_current(row: CatalogRow, target: Target, refetch: frozenset[str]) -> bool:
    """Whether the file meets the target. One of an older engine does, unless the recording is asked for by name."""
    return row.audio_recipe == target.recipe if row.recording_id in refetch else target.made(row.audio_recipe)


def _checked(day: ArchiveDay, row: CatalogRow, refetch: frozenset[str]) -> CatalogRow:
    """Return the row; without its recipe where its file is to be compared with it and differs."""
    key = Layout.key_in(row.audio_uri or "")
    if row.recording_id not in refetch or mismatch(day.archive, key, row.audio_bytes, row.audio_sha256) is None:
        return row
    return dataclasses.replace(row, audio_recipe=None)


def _columns_of(day: ArchiveDay, done: Done[NormalizeTask, AudioColumns], row: CatalogRow | None) -> AudioColumns:
    if done.result:
        return done.result
    if row is None or row.audio_uri is None:
        return AudioColumns.failed(done.error)
    if row.source_sha256 == done.task.source_sha256:
        return AudioColumns.keep_previous(day.archive, row, done.error)
    return AudioColumns.keep_older_version(day.archive, row, done.error)


def _remove_replaced(
    day: ArchiveDay, before: Iterable[CatalogRow], rows: Iterable[CatalogRow], unused: Iterable[str]
) -> None:
    """Remove the normalized files in whose place the catalog now references another file of the same MP3.

    The same holds for `unused` files, which were made for another target.

    A row that references none has no replacement: its table may have been lost, and the file may be the only one.
    """
    referenced = {row.key: Layout.key_in(row.audio_uri) for row in rows if row.audio_uri}
    kept = set(referenced.values())
    for row in before:
        if row.key in referenced and row.audio_uri and (key := Layout.key_in(row.audio_uri)) not in kept:
            day.archive.remove(key)
    for key in unused:
        if key not in kept:
            day.archive.remove(key)


def _remove_redundant(day: ArchiveDay, rows: Iterable[CatalogRow]) -> None:
    """Remove the files that a lost catalog referenced, if the same bytes were made again under another name."""
    referenced = {row.audio_key: row for row in rows if row.audio_key}
    others = day.archive.sizes_below(Layout.folder("normalized_audio", day.day)).keys() - referenced.keys()
    folders = {PurePosixPath(key).parent: row for key, row in referenced.items()} if others else {}
    for key in others:
        row = folders.get(PurePosixPath(key).parent)
        if row and mismatch(day.archive, key, row.audio_bytes, row.audio_sha256) is None:
            day.archive.remove(key)
