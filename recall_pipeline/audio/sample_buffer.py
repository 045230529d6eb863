"""Where the sound waits between the two passes: files without a name, gone with the process."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.decoder import Samples


class Spool:
    """Rows of float32, written once, read as often as needed; private, and never in memory."""

    def __init__(self, folder: Path, columns: int) -> None:
        """Open an unnamed file on the same disk as `folder`."""
        self.folder = folder
        self.columns = columns
        self.rows = 0
        self._row_bytes = 4 * columns
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115

    def append(self, rows: npt.NDArray[np.floating]) -> None:
        """Add rows, shape (rows, columns)."""
        if not len(rows):
            return
        self._file.seek(0, os.SEEK_END)
        data = np.ascontiguousarray(rows, dtype=np.float32).data.cast("B")
        while data:
            data = data[self._file.write(data) :]
        self.rows += len(rows)

    def read(self, start: int, end: int) -> Samples:
        """Rows from start to end; those outside the file are zero."""
        inside = max(0, start), min(self.rows, end)
        rows = np.zeros((end - start, self.columns), dtype=np.float32)
        if inside[0] < inside[1]:
            self._fill(rows[inside[0] - start : inside[1] - start], inside[0])
        return rows

    def chunks(self, size: int) -> Iterator[tuple[int, Samples]]:
        """Yield (first row, rows) from the start to the end."""
        for start in range(0, self.rows, size):
            yield start, self.read(start, min(self.rows, start + size))

    def close(self) -> None:
        """Give the disk its space back."""
        self._file.close()

    def _fill(self, rows: Samples, start: int) -> None:
        self._file.seek(start * self._row_bytes)
        view = rows.data.cast("B")
        while view:
            view = view[self._file.readinto(view) :]  # type: ignore[attr-defined]
