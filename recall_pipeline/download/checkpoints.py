"""Checkpoint rows during the download, so that an interrupted sync loses little work."""

import contextlib
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from recall_pipeline.audit import erased_in
from recall_pipeline.download.rows import MIXED_AUDIO, MixedAudioRow
from recall_pipeline.errors import StorageError
from recall_pipeline.storage import ArchiveDay

_FILES, _AT_MOST = 50, 50  # files between two checkpoints: 50, or a fiftieth of the day


class Checkpoints:
    """Holds the rows of a day, of which `to_do` are about to be downloaded.

    They are written before the first byte is fetched, at intervals, and when an error or Ctrl-C ends the downloads.
    """

    def __init__(self, day: ArchiveDay, rows: dict[str, MixedAudioRow], to_do: int) -> None:
        self._day, self._rows = day, rows
        self._to_do = to_do
        self._every = max(_FILES, to_do // _AT_MOST)
        self.done = 0

    def __enter__(self) -> Self:
        if self._to_do:
            write_rows(self._day, self._rows.values(), after_download=False)
        return self

    def put(self, row: MixedAudioRow) -> None:
        """Add the row of a finished download."""
        self._rows[row.audio_id] = row
        self.done += 1
        if self.done % self._every == 0:
            self._write()

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and self.done:
            with contextlib.suppress(StorageError):  # the error that ends the downloads is reported already
                self._write()

    def _write(self) -> None:
        write_rows(self._day, self._rows.values())


def write_rows(day: ArchiveDay, rows: Iterable[MixedAudioRow], *, after_download: bool = True) -> None:
    """Write the day's rows; those of recordings that another host erased during the downloads are redacted."""
    erased = erased_in(day, read_again=after_download).recordings
    day.write(MIXED_AUDIO, [row.redacted() if row.recording_id in erased else row for row in rows])
