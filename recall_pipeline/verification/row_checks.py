"""Problems of the rows of a day: repeated, of another day, and references that lead elsewhere."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from recall_pipeline.catalog import CATALOG, CatalogRow, Outcome
from recall_pipeline.days import day_of
from recall_pipeline.discovery import BOTS, RECORDINGS
from recall_pipeline.download import ARCHIVED, MIXED_AUDIO
from recall_pipeline.storage import FolderName, Layout
from recall_pipeline.verification.codes import Code
from recall_pipeline.verification.problems import Problem

if TYPE_CHECKING:
    from recall_pipeline.verification.referenced_files import Tables

_OUTCOMES = frozenset(Outcome)


def row_problems(tables: "Tables") -> Iterator[Problem]:
    """Yield the problems of single rows; all tables of the day are readable."""
    yield from _repeated(tables)
    yield from _of_other_days(tables)
    yield from _without_recording(tables)
    yield from _unknown_outcomes(tables)
    yield from _without_audit(tables)
    yield from _incomplete(tables)
    yield from _misplaced(tables)


def _repeated(tables: "Tables") -> Iterator[Problem]:
    keys: tuple[tuple[str, Sequence[str]], ...] = (
        (BOTS.key(tables.day), [row.bot_id for row in tables.bots]),
        (RECORDINGS.key(tables.day), [row.recording_id for row in tables.recordings]),
        (MIXED_AUDIO.key(tables.day), [row.audio_id for row in tables.mp3s]),
        (CATALOG.key(tables.day), [row.key for row in tables.catalog]),
    )
    for table, ids in keys:
        for name, count in Counter(ids).items():
            if count > 1:
                yield Problem(tables.day, Code.ROWS_REPEATED, table, f"has {count} rows of {name}")


def _of_other_days(tables: "Tables") -> Iterator[Problem]:
    for table, rows in ((RECORDINGS, tables.recordings), (CATALOG, tables.catalog)):
        for row in rows:
            if (day := day_of(row.created_at)) != tables.day:
                message = f"has a row of {day}: recording {row.recording_id}"
                yield Problem(tables.day, Code.ROW_OF_OTHER_DAY, table.key(tables.day), message, row.recording_id)


def _without_recording(tables: "Tables") -> Iterator[Problem]:
    listed = {row.recording_id for row in tables.recordings}
    cataloged = {row.audio_id for row in tables.catalog}
    for row in () if RECORDINGS.name in tables.absent else tables.mp3s:
        if row.recording_id not in listed and row.audio_id not in cataloged:
            message = f"is of recording {row.recording_id}, which is missing in the table recordings"
            yield Problem(tables.day, Code.ROW_MISSING, f"MP3 {row.audio_id}", message, row.recording_id)


def _unknown_outcomes(tables: "Tables") -> Iterator[Problem]:
    for row in tables.catalog:
        if row.outcome not in _OUTCOMES:
            message = f"has the outcome {row.outcome!r}, which this version does not know"
            yield Problem(tables.day, Code.OUTCOME_UNKNOWN, f"recording {row.recording_id}", message, row.recording_id)


def _without_audit(tables: "Tables") -> Iterator[Problem]:
    """Yield each recording that is redacted in `recordings` and `audio_catalog`, and not in the audit.

    A recording that was too old to be downloaded is redacted in the catalog only.
    """
    forgotten = {row.recording_id for row in tables.catalog if row.outcome == Outcome.FORGOTTEN}
    redacted = {row.recording_id for row in tables.recordings if row == row.redacted()}
    for name in sorted((forgotten & redacted) - tables.erased.recordings):
        yield Problem(tables.day, Code.AUDIT_ROW_MISSING, f"recording {name}", "is erased without a row in audit", name)


def _incomplete(tables: "Tables") -> Iterator[Problem]:
    for row in tables.mp3s:
        if row.state == ARCHIVED and None in (row.source_key, row.source_sha256, row.source_bytes):
            message = "is archived without its key, size or SHA-256 in mixed_audio"
            yield Problem(tables.day, Code.ROW_INCOMPLETE, f"MP3 {row.audio_id}", message, row.recording_id)
    for cataloged in tables.catalog:
        if cataloged.audio_uri and None in (cataloged.audio_sha256, cataloged.audio_bytes):
            message = "is cataloged without size or SHA-256 of its normalized file"
            subject = f"recording {cataloged.recording_id}"
            yield Problem(tables.day, Code.ROW_INCOMPLETE, subject, message, cataloged.recording_id)


def _misplaced(tables: "Tables") -> Iterator[Problem]:
    """Yield each reference to a file that is not of the row's own day, recording and MP3."""
    for mp3 in tables.mp3s:
        own = _is_own("mixed_audio", tables.day, mp3.recording_id, mp3.audio_id)
        if mp3.source_key is not None and not own.fullmatch(mp3.source_key):
            message = f"has a key that is not its own: {mp3.source_key}"
            yield Problem(tables.day, Code.KEY_MISPLACED, f"MP3 {mp3.audio_id}", message, mp3.recording_id)
    for row in tables.catalog:
        for folder, uri, key in _references(row):
            own = _is_own(folder, tables.day, row.recording_id, row.audio_id or "")
            in_uri = Layout.audio_key_in(uri) or ""
            if (uri and not own.fullmatch(in_uri)) or (key is not None and not (own.fullmatch(key) and key == in_uri)):
                message = f"has a URI or a key that is not its own: {uri}, {key}"
                yield Problem(
                    tables.day, Code.KEY_MISPLACED, f"recording {row.recording_id}", message, row.recording_id
                )


def _references(row: CatalogRow) -> tuple[tuple[FolderName, str | None, str | None], ...]:
    return ("mixed_audio", row.source_uri, row.source_key), ("normalized_audio", row.audio_uri, row.audio_key)


def _is_own(folder: FolderName, day: date, recording_id: str, audio_id: str) -> re.Pattern[str]:
    ids = f"{re.escape(recording_id)}/{re.escape(audio_id)}"
    return re.compile(rf"{folder}/day={day}/{ids}(\.[0-9a-f]{{8}})?\.\w+")
