"""The rows of a day that an erasure redacts, and the ids of those with personal data."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from recall_pipeline.catalog import CATALOG, WAVEFORMS, CatalogRow, remove_waveforms
from recall_pipeline.discovery import BOTS, RECORDINGS, BotRow, RecordingRow
from recall_pipeline.download import MIXED_AUDIO, MixedAudioRow
from recall_pipeline.storage import Archive, Table

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class DayTables:
    """The rows of a day, in every table that contains personal data; of `waveforms`, the ids of its recordings."""

    day: date
    bots: list[BotRow]
    recordings: list[RecordingRow]
    mp3s: list[MixedAudioRow]
    catalog: list[CatalogRow]
    drawn: frozenset[str]

    @classmethod
    def read(cls, archive: Archive, day: date) -> "DayTables":
        """Read all tables of the day. Raises StorageError."""
        return cls(
            day,
            BOTS.read(archive, day) or [],
            RECORDINGS.read(archive, day) or [],
            MIXED_AUDIO.read(archive, day) or [],
            CATALOG.read(archive, day) or [],
            frozenset(name for (name,) in WAVEFORMS.read_columns(archive, day, "recording_id")),
        )

    def bot_of(self, recording_id: str) -> str | None:
        """Return the bot of a recording; None if no table states it."""
        rows: Iterator[RecordingRow | CatalogRow] = (
            row for rows in (self.recordings, self.catalog) for row in rows if row.recording_id == recording_id
        )
        return next((row.bot_id for row in rows if row.bot_id), None)

    def audio_ids(self, recordings: frozenset[str]) -> set[str]:
        """Return the ids of the MP3s of some recordings."""
        rows: Iterator[MixedAudioRow | CatalogRow] = (row for rows in (self.mp3s, self.catalog) for row in rows)
        return {row.audio_id for row in rows if row.audio_id and row.recording_id in recordings}

    def personal_recordings(self) -> set[str]:
        """Return the ids of recordings with a row that is not redacted, or with a waveform."""
        rows: Iterator[RecordingRow | MixedAudioRow | CatalogRow]
        rows = (row for rows in (self.recordings, self.mp3s, self.catalog) for row in rows)
        return {row.recording_id for row in rows if row != row.redacted()} | self.drawn

    def personal_bots(self) -> set[str]:
        """Return the ids of bots with a row that is not redacted."""
        return {row.bot_id for row in self.bots if row != row.redacted()}

    def redact(self, archive: Archive, erased: frozenset[str], bots: frozenset[str]) -> None:
        """Replace the rows of these recordings and bots by redacted rows, and remove waveforms. Raises StorageError."""
        self._write(archive, BOTS, self.bots, [r.redacted() if r.bot_id in bots else r for r in self.bots])
        recordings = [r.redacted() if r.recording_id in erased else r for r in self.recordings]
        self._write(archive, RECORDINGS, self.recordings, recordings)
        mp3s = [r.redacted() if r.recording_id in erased else r for r in self.mp3s]
        self._write(archive, MIXED_AUDIO, self.mp3s, mp3s)
        catalog = [r.redacted() if r.recording_id in erased else r for r in self.catalog]
        self._write(archive, CATALOG, self.catalog, catalog)
        if not self.drawn.isdisjoint(erased):
            remove_waveforms(archive, self.day, erased)

    def _write(self, archive: Archive, table: Table[Row], before: list[Row], after: list[Row]) -> None:
        if after != before:
            table.write(archive, self.day, after, table.facts(archive, self.day))
