"""The audio columns of a day in a temporary file: with their peaks, those of a large day take hundreds of megabytes."""

import dataclasses
import functools
import pickle
import tempfile
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Self

from recall_pipeline.catalog.audio_columns import AudioColumns
from recall_pipeline.storage import Archive, storage_error

_MOST_IN_MEMORY_BYTES = 4 * 1024**2


@functools.lru_cache(maxsize=1024)
def _only_one(text: str) -> str:
    """Return one object for equal texts: all files of a day have the same recipe."""
    return text


class SpooledColumns(Mapping[str, AudioColumns]):
    """Audio columns by artifact id; each access reads them again. A small day is kept in memory.

    `with_peaks`: the ids whose columns have peaks, since their files were made for this catalog. The file is in the
    staging folder without a name: it is gone when the block ends or the process is killed.
    """

    def __init__(self, archive: Archive) -> None:
        self._folder = str(archive.open_staging_folder())
        self._file = tempfile.SpooledTemporaryFile(_MOST_IN_MEMORY_BYTES, dir=self._folder)  # noqa: SIM115
        self._places: dict[str, int] = {}
        self.with_peaks: set[str] = set()

    def put(self, audio_id: str, columns: AudioColumns) -> None:
        """Add the columns of an MP3, or replace them. Raises StorageError if the staging folder is full."""
        try:
            place = self._file.seek(0, 2)
            pickle.dump(columns, self._file, pickle.HIGHEST_PROTOCOL)
        except OSError as error:
            raise storage_error("write", self._folder, error) from None
        self._places[audio_id] = place
        (self.with_peaks.add if columns.peaks else self.with_peaks.discard)(audio_id)

    def __getitem__(self, audio_id: str) -> AudioColumns:
        self._file.seek(self._places[audio_id])
        columns: AudioColumns = pickle.load(self._file)  # noqa: S301 -- this process pickled it
        values = {name: _only_one(value) if isinstance(value, str) else value for name, value in columns.values.items()}
        return dataclasses.replace(columns, values=values)

    def __contains__(self, audio_id: object) -> bool:
        return audio_id in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
