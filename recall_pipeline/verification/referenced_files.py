"""Files that the tables of a day reference, and contradictions between the tables."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from recall_pipeline.audit import AUDIT, ErasedIds
from recall_pipeline.catalog import CATALOG, NEWER_VERSION, CatalogRow, Outcome, missing_among
from recall_pipeline.discovery import BOTS, RECORDINGS, BotRow, RecordingRow
from recall_pipeline.download import ARCHIVED, MIXED_AUDIO, MixedAudioRow
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import Archive, Layout, Table
from recall_pipeline.verification.codes import Code
from recall_pipeline.verification.erased import kept_transcripts, personal_rows
from recall_pipeline.verification.problems import Problem, table_problem
from recall_pipeline.verification.row_checks import row_problems
from recall_pipeline.verification.table_contents import content_problems
from recall_pipeline.verification.waveform_checks import waveform_problems

Row = TypeVar("Row")
TABLES: tuple[Table[Any], ...] = (BOTS, RECORDINGS, MIXED_AUDIO, CATALOG)


@dataclass(frozen=True, slots=True)
class ReferencedFile:
    """A file with the size in bytes and the SHA-256 that its row states; `is_audio`: it has to decode."""

    key: str
    recording_id: str
    audio_id: str
    size_bytes: int | None
    sha256: str
    is_audio: bool


@dataclass(slots=True)
class Tables:
    """The rows of a day, as far as its tables are readable, and the problems of the tables."""

    day: date
    bots: list[BotRow] = field(default_factory=list)
    recordings: list[RecordingRow] = field(default_factory=list)
    mp3s: list[MixedAudioRow] = field(default_factory=list)
    catalog: list[CatalogRow] = field(default_factory=list)
    erased: ErasedIds = field(default_factory=lambda: ErasedIds(frozenset(), frozenset()))
    problems: list[Problem] = field(default_factory=list)
    absent: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)

    @property
    def name_all_files(self) -> bool:
        """Whether no table that names files is lost or unreadable, so that a file without a row is an orphan."""
        return self.are_readable and self.absent.isdisjoint({MIXED_AUDIO.name, CATALOG.name})

    @property
    def is_lost(self) -> bool:
        """Whether the day has none of its tables."""
        return self.absent >= {table.name for table in TABLES}

    @property
    def are_readable(self) -> bool:
        """Whether all tables of the pipeline can be read; `transcripts` names no file and is not one of them."""
        return not self.unreadable

    @property
    def files(self) -> dict[str, ReferencedFile]:
        """Every referenced file by key, without files of erased recordings.

        The catalog also references originals whose row in `mixed_audio` is lost.
        """
        referenced = [*self._sources_of_catalog(), *self._normalized(), *self._sources()]
        return {file.key: file for file in referenced if file.recording_id not in self.erased.recordings}

    @property
    def corrupt(self) -> set[str]:
        """The ids of the recordings with the outcome `corrupt` that are not erased."""
        corrupt = {row.recording_id for row in self.catalog if row.outcome == Outcome.CORRUPT}
        return corrupt - self.erased.recordings

    def _sources(self) -> Iterator[ReferencedFile]:
        for row in self.mp3s:
            key = Layout.audio_key_in(row.source_key)
            if key and key == row.source_key and row.source_sha256:
                is_audio = row.state == ARCHIVED
                yield ReferencedFile(key, row.recording_id, row.audio_id, row.source_bytes, row.source_sha256, is_audio)

    def _sources_of_catalog(self) -> Iterator[ReferencedFile]:
        for row in self.catalog:
            if (key := Layout.audio_key_in(row.source_uri)) and row.source_sha256:
                is_audio = row.audio_uri is not None
                yield ReferencedFile(
                    key, row.recording_id, row.audio_id or "", row.source_bytes, row.source_sha256, is_audio
                )

    def _normalized(self) -> Iterator[ReferencedFile]:
        for row in self.catalog:
            if (key := Layout.audio_key_in(row.audio_uri)) and row.audio_sha256:
                yield ReferencedFile(key, row.recording_id, row.audio_id or "", row.audio_bytes, row.audio_sha256, True)


def read_tables(archive: Archive, day: date) -> Tables:
    """Read the tables of `day` and compare them with each other. Unreadable tables become problems."""
    tables = Tables(day)
    tables.bots = _read_rows(archive, BOTS, tables)
    tables.recordings = _read_rows(archive, RECORDINGS, tables)
    tables.mp3s = _read_rows(archive, MIXED_AUDIO, tables)
    tables.catalog = _read_rows(archive, CATALOG, tables)
    _read_erased(archive, tables)
    if tables.are_readable:
        tables.problems += _contradictions(tables)
        tables.problems += row_problems(tables)
    tables.problems += waveform_problems(archive, day, tables.erased)
    tables.problems += kept_transcripts(archive, day, tables.erased)
    return tables


def _read_erased(archive: Archive, tables: Tables) -> None:
    """Read the erased ids of the day, and add a problem for each that tables still contain."""
    day = tables.day
    tables.erased = ErasedIds.of(_read_rows(archive, AUDIT, tables))
    by_table: dict[str, Sequence[RecordingRow | MixedAudioRow | CatalogRow]]
    by_table = {"recordings": tables.recordings, "mixed_audio": tables.mp3s, "audio_catalog": tables.catalog}
    tables.problems += personal_rows(day, tables.erased, tables.bots, by_table)


def _read_rows(archive: Archive, table: Table[Row], tables: Tables) -> list[Row]:
    try:
        file = table.file(archive, tables.day)
        rows = file.rows() if file else []
    except StorageError as error:
        tables.unreadable.add(table.name)
        tables.problems.append(table_problem(tables.day, table.key(tables.day), error))
        return []
    if file is None:
        tables.absent.add(table.name)
    elif table is not AUDIT:  # which is merged from several files
        tables.problems += content_problems(file)
    return rows


def _contradictions(tables: Tables) -> Iterator[Problem]:
    """Yield a problem for each contradiction between tables; erased recordings are skipped."""
    for subject in missing_among(tables.recordings, tables.mp3s, tables.catalog).problems:
        yield Problem(tables.day, Code.ROW_MISSING, subject, "has no row in audio_catalog")
    listed = {row.recording_id for row in tables.recordings}
    mp3s = {row.audio_id: row for row in tables.mp3s}
    for row in tables.catalog:
        if row.outcome != Outcome.FORGOTTEN and row.recording_id not in tables.erased.recordings:
            for code, message in _contradicted(row, listed, mp3s):
                yield Problem(tables.day, code, f"recording {row.recording_id}", message, row.recording_id)


def _contradicted(row: CatalogRow, listed: set[str], mp3s: dict[str, MixedAudioRow]) -> Iterator[tuple[Code, str]]:
    if row.recording_id not in listed:
        yield Code.ROW_MISSING, "is cataloged, but missing in the table recordings"
    if row.outcome in (Outcome.READY, Outcome.SILENT) and not (row.source_uri and row.audio_uri):
        yield Code.ROW_INCOMPLETE, f"is cataloged as {row.outcome} without references to its files"
    if row.audio_id is None:
        return
    mp3 = mp3s.get(row.audio_id)
    if mp3 is None:
        yield Code.ROW_MISSING, f"is cataloged with MP3 {row.audio_id}, which is missing in the table mixed_audio"
    elif mp3.source_sha256 != row.source_sha256 and NEWER_VERSION.isdisjoint(row.findings or ()):
        yield Code.ROWS_CONTRADICT, f"is cataloged with another SHA-256 of MP3 {row.audio_id} than in mixed_audio"
