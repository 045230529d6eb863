"""What the tables of a day name, and where they contradict one another."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from recall_pipeline.catalog import CATALOG, CatalogRow, Outcome, missing_among
from recall_pipeline.discovery import BOTS, RECORDINGS, RecordingRow
from recall_pipeline.download import ARCHIVED, MIXED_AUDIO, MixedAudioRow
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import Archive, Layout, Table
from recall_pipeline.verification.problems import Kind, Problem

Row = TypeVar("Row")
TABLES: tuple[Table[Any], ...] = (BOTS, RECORDINGS, MIXED_AUDIO, CATALOG)


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
    problems: list[Problem] = field(default_factory=list)
    absent: set[str] = field(default_factory=set)

    @property
    def name_all_files(self) -> bool:
        """Whether no table that names files is lost or unreadable, so that a file without a row is one too many."""
        return self.are_readable and self.absent.isdisjoint({MIXED_AUDIO.name, CATALOG.name})

    @property
    def is_lost(self) -> bool:
        """Whether the day has none of its tables."""
        return self.absent == {table.name for table in TABLES}

    @property
    def are_readable(self) -> bool:
        """Whether all of them are."""
        return not any(problem.kind is Kind.UNREADABLE for problem in self.problems)

    @property
    def files(self) -> dict[str, ReferencedFile]:
        """Every file that is named, by its key; the catalog also remembers what another table has lost."""
        named = [*self._sources_of_catalog(), *self._normalized(), *self._sources()]
        return {file.key: file for file in named}

    @property
    def corrupt(self) -> set[str]:
        """The recordings of which Recall served no whole audio, as the table of outcomes has it."""
        return {row.recording_id for row in self.catalog if row.outcome == Outcome.CORRUPT}

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
    _read_rows(archive, BOTS, tables)
    tables.recordings = _read_rows(archive, RECORDINGS, tables)
    tables.mp3s = _read_rows(archive, MIXED_AUDIO, tables)
    tables.catalog = _read_rows(archive, CATALOG, tables)
    if tables.are_readable:
        tables.problems += _contradictions(tables)
    return tables


def _read_rows(archive: Archive, table: Table[Row], tables: Tables) -> list[Row]:
    try:
        rows = table.read(archive, tables.day)
    except StorageError as fault:
        key = table.key(tables.day)
        tables.problems.append(Problem(tables.day, Kind.UNREADABLE, key, str(fault)))
        return []
    if rows is None:
        tables.absent.add(table.name)
    return rows or []


def _contradictions(tables: Tables) -> Iterator[Problem]:
    """Yield what one table says and another does not; a recording that was forgotten is no longer told of."""
    for told in missing_among(tables.recordings, tables.mp3s, tables.catalog).problems:
        yield Problem(tables.day, Kind.DISAGREEING, told, "has no row in audio_catalog")
    known = {row.recording_id for row in tables.recordings}
    mp3s = {row.audio_id: row for row in tables.mp3s}
    for row in tables.catalog:
        if row.outcome != Outcome.FORGOTTEN:
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
