"""What the tables of a day name, and where they contradict one another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from recall_pipeline.audit import AUDIT, ErasedIds, erased_on
from recall_pipeline.catalog import CATALOG, CatalogRow, Outcome, missing_among
from recall_pipeline.discovery import BOTS, RECORDINGS, BotRow, RecordingRow
from recall_pipeline.download import ARCHIVED, MIXED_AUDIO, MixedAudioRow
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import Archive, Layout, Table
from recall_pipeline.verification.erased import TRANSCRIBED, kept_transcripts, personal_rows
from recall_pipeline.verification.problems import Kind, Problem

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class ReferencedFile:
    """A file that a table names, and what it states of it; `is_sound` says whether it has to decode."""

    key: str
    recording_id: str
    audio_id: str
    size_bytes: int | None
    sha256: str
    is_sound: bool


@dataclass(slots=True)
class Tables:
    """The tables of a day, as far as they can be read, and what is wrong with them."""

    day: date
    recordings: list[RecordingRow] = field(default_factory=list)
    mp3s: list[MixedAudioRow] = field(default_factory=list)
    catalog: list[CatalogRow] = field(default_factory=list)
    erased: ErasedIds = field(default_factory=lambda: ErasedIds(frozenset(), frozenset()))
    problems: list[Problem] = field(default_factory=list)

    @property
    def are_readable(self) -> bool:
        """Whether all of them are."""
        return not any(problem.kind is Kind.UNREADABLE for problem in self.problems)

    @property
    def files(self) -> dict[str, ReferencedFile]:
        """Every file that is named, by its key; the catalog also remembers what another table has lost.

        Files of erased recordings are not among them.
        """
        named = [*self._sources_of_catalog(), *self._normalized(), *self._sources()]
        return {file.key: file for file in named if file.recording_id not in self.erased.recordings}

    @property
    def corrupt(self) -> set[str]:
        """The recordings of which Recall served no whole audio, as the table of outcomes has it."""
        corrupt = {row.recording_id for row in self.catalog if row.outcome == Outcome.CORRUPT}
        return corrupt - self.erased.recordings

    def _sources(self) -> Iterator[ReferencedFile]:
        for row in self.mp3s:
            if row.source_key and row.source_sha256:
                is_sound = row.state == ARCHIVED
                yield ReferencedFile(
                    row.source_key, row.recording_id, row.audio_id, row.source_bytes, row.source_sha256, is_sound
                )

    def _sources_of_catalog(self) -> Iterator[ReferencedFile]:
        for row in self.catalog:
            if row.source_uri and row.source_sha256:
                key, is_sound = Layout.key_in(row.source_uri), row.audio_uri is not None
                yield ReferencedFile(
                    key, row.recording_id, row.audio_id or "", row.source_bytes, row.source_sha256, is_sound
                )

    def _normalized(self) -> Iterator[ReferencedFile]:
        for row in self.catalog:
            if row.audio_uri and row.audio_sha256:
                key = Layout.key_in(row.audio_uri)
                yield ReferencedFile(key, row.recording_id, row.audio_id or "", row.audio_bytes, row.audio_sha256, True)


def read_tables(archive: Archive, day: date) -> Tables:
    """Read the tables of `day` and hold them against one another."""
    tables = Tables(day)
    bots = _read_rows(archive, BOTS, tables)
    tables.recordings = _read_rows(archive, RECORDINGS, tables)
    tables.mp3s = _read_rows(archive, MIXED_AUDIO, tables)
    tables.catalog = _read_rows(archive, CATALOG, tables)
    _read_erased(archive, tables, bots)
    if tables.are_readable:
        tables.problems += _contradictions(tables)
    return tables


def _read_erased(archive: Archive, tables: Tables, bots: list[BotRow]) -> None:
    """Read what is erased of the day, and add what is stored of it in tables to the problems."""
    day = tables.day
    try:
        tables.erased = erased_on(archive, day)
        tables.problems += kept_transcripts(archive, day, tables.erased)
    except StorageError as fault:
        key = AUDIT.key(day) if not tables.erased.recordings else TRANSCRIBED.key(day)
        tables.problems.append(Problem(day, Kind.UNREADABLE, key, str(fault)))
    by_table: dict[str, Sequence[RecordingRow | MixedAudioRow | CatalogRow]]
    by_table = {"recordings": tables.recordings, "mixed_audio": tables.mp3s, "audio_catalog": tables.catalog}
    tables.problems += personal_rows(day, tables.erased, bots, by_table)


def _read_rows(archive: Archive, table: Table[Row], tables: Tables) -> list[Row]:
    try:
        return table.read(archive, tables.day) or []
    except StorageError as fault:
        key = table.key(tables.day)
        tables.problems.append(Problem(tables.day, Kind.UNREADABLE, key, str(fault)))
        return []


def _contradictions(tables: Tables) -> Iterator[Problem]:
    """Yield what one table says and another does not; a recording that was forgotten is no longer told of."""
    for told in missing_among(tables.recordings, tables.mp3s, tables.catalog).problems:
        yield Problem(tables.day, Kind.DISAGREEING, told, "has no row in audio_catalog")
    known = {row.recording_id for row in tables.recordings}
    mp3s = {row.audio_id: row for row in tables.mp3s}
    for row in tables.catalog:
        if row.outcome != Outcome.FORGOTTEN and row.recording_id not in tables.erased.recordings:
            for says in _contradicted(row, known, mp3s):
                yield Problem(tables.day, Kind.DISAGREEING, f"recording {row.recording_id}", says, row.recording_id)


def _contradicted(row: CatalogRow, known: set[str], mp3s: dict[str, MixedAudioRow]) -> Iterator[str]:
    if row.recording_id not in known:
        yield "is cataloged, but the table recordings has lost it"
    if row.outcome in (Outcome.READY, Outcome.SILENT) and not (row.source_uri and row.audio_uri):
        yield f"is cataloged as {row.outcome} without naming its files"
    if row.audio_id is None:
        return
    mp3 = mp3s.get(row.audio_id)
    if mp3 is None:
        yield f"is cataloged with MP3 {row.audio_id}, which the table mixed_audio has lost"
    elif mp3.source_sha256 != row.source_sha256:
        yield f"is cataloged with other bytes of MP3 {row.audio_id} than those in mixed_audio"
