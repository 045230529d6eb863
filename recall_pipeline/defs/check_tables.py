"""The tables of one day for its checks, each read at most once."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from recall_pipeline.catalog import CATALOG, CatalogRow
from recall_pipeline.defs.run_context import RunContext
from recall_pipeline.discovery import RECORDINGS, RecordingRow
from recall_pipeline.download import MIXED_AUDIO, MixedAudioRow
from recall_pipeline.storage import Table, TableFile


@dataclass
class CheckTables:
    """Tables of `day`. Each is read when it is first needed; a missing one has no rows."""

    run_context: RunContext
    day: date

    @cached_property
    def recordings(self) -> list[RecordingRow]:
        """Rows of `recordings`."""
        return self._rows(RECORDINGS)

    @cached_property
    def mixed_audio(self) -> list[MixedAudioRow]:
        """Rows of `mixed_audio`."""
        return self._rows(MIXED_AUDIO)

    @cached_property
    def catalog(self) -> list[CatalogRow]:
        """Rows of `audio_catalog`."""
        return self._rows(CATALOG)

    @property
    def facts(self) -> dict[str, str]:
        """What the table `recordings` states about the day as a whole."""
        stored = self.stored(RECORDINGS)
        return stored.facts if stored else {}

    def stored(self, table: Table[Any]) -> TableFile[Any] | None:
        """Return the file of a table; None if there is none."""
        if table.name not in self._stored:
            self._stored[table.name] = table.file(self.run_context.archive, self.day)
        return self._stored[table.name]

    @cached_property
    def _stored(self) -> dict[str, TableFile[Any] | None]:
        return {}

    def _rows(self, table: Table[Any]) -> list[Any]:
        stored = self.stored(table)
        return stored.rows() if stored else []
