"""An array of float32 rows on disk, for the samples between the two passes."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.decoder import Samples


class SampleBuffer:
    """Rows of float32 in an unnamed temporary file: written once, read often, deleted with the process."""

    def __init__(self, folder: Path, columns: int) -> None:
        """Open an unnamed file in `folder`, thus on its disk."""
        self.folder = folder
        self.columns = columns
        self.rows = 0
        self._row_bytes = 4 * columns
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115

    def append(self, rows: npt.NDArray[np.floating]) -> None:
        """Append rows, shape (rows, columns)."""
        if not len(rows):
            return
        self._file.seek(0, os.SEEK_END)
        data = np.ascontiguousarray(rows, dtype=np.float32).data.cast("B")
        while data:
            data = data[self._file.write(data) :]
        self.rows += len(rows)

    def read(self, start: int, end: int) -> Samples:
        """Return rows `start` to `end`, shape (end - start, columns); rows outside the file are zero."""
        first, last = max(0, start), min(self.rows, end)
        rows = np.zeros((end - start, self.columns), dtype=np.float32)
        if first < last:
            self._fill(rows[first - start : last - start], first)
        return rows

    def chunks(self, size: int) -> Iterator[tuple[int, Samples]]:
        """Yield (index of the first row, rows), `size` rows at a time."""
        for start in range(0, self.rows, size):
            yield start, self.read(start, min(self.rows, start + size))

    def close(self) -> None:
        """Close the file, which frees its disk space."""
        self._file.close()

    def _fill(self, rows: Samples, start: int) -> None:
        self._file.seek(start * self._row_bytes)
        view = rows.data.cast("B")
        while view:
            view = view[self._file.readinto(view) :]  # type: ignore[attr-defined]
