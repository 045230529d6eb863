"""Write a day's rows down while its MP3s come home, so that whatever ends a sync costs little of what it did."""

import contextlib
from datetime import date
from types import TracebackType
from typing import Self

from recall_pipeline.download.rows import MIXED_AUDIO, MixedAudioRow
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import Archive

_FILES, _AT_MOST = 50, 50  # what a kill may cost to fetch again: so many files, or a fiftieth of the day


class Checkpoints:
    """Holds the rows of a day, of which `to_do` are about to be fetched.

    They are on file before the first byte is fetched, from time to time, and when a fault or Ctrl-C ends it all.
    """

    def __init__(self, archive: Archive, day: date, rows: dict[str, MixedAudioRow], to_do: int) -> None:
        self._archive, self._day, self._rows = archive, day, rows
        self._to_do = to_do
        self._every = max(_FILES, to_do // _AT_MOST)
        self._facts: dict[str, str] = {}
        self.done = 0

    def __enter__(self) -> Self:
        if self._to_do:
            self._facts = MIXED_AUDIO.facts(self._archive, self._day) or {}
            self._write()
        return self

    def put(self, row: MixedAudioRow) -> None:
        """Take a row that is done."""
        self._rows[row.audio_id] = row
        self.done += 1
        if self.done % self._every == 0:
            self._write()

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and self.done:
            with contextlib.suppress(StorageError):  # the fault that ends it is told already
                self._write()

    def _write(self) -> None:
        MIXED_AUDIO.write(self._archive, self._day, self._rows.values(), self._facts)
