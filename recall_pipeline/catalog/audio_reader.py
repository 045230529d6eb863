"""Public reader of audio: recordings that open as a local path, a file or samples, on a folder and in a bucket."""

import contextlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from recall_pipeline.catalog.outcomes import Outcome
from recall_pipeline.catalog.rows import CATALOG, CatalogRow
from recall_pipeline.errors import StorageError, UsageError
from recall_pipeline.settings import Settings, load_settings
from recall_pipeline.storage import Archive, Layout, open_archive

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class ArchivedRecording:
    """A row of the catalog, and its normalized audio.

    On a disk the stored file is opened; from an object store it is copied into the staging folder (RECALL_SPOOL_DIR),
    and the copy is removed when the block ends. Whatever opens it raises UsageError for a row without audio, and
    StorageError when the file cannot be read.
    """

    day: date
    row: CatalogRow
    archive: Archive = field(repr=False, compare=False)

    @property
    def audio_uri(self) -> str:
        """The absolute fsspec URI of its audio, in the archive as it is opened now."""
        if self.row.audio_uri is None:
            raise UsageError(f"recording {self.row.recording_id} has no audio: its outcome is {self.row.outcome}")
        return self.archive.uri(Layout.key_in(self.row.audio_uri))

    @property
    def audio_seconds(self) -> float:
        """Length of its audio, seconds: exactly `audio_samples` by the sample rate; 0 without audio."""
        return (self.row.audio_samples or 0) / (self.row.audio_sample_rate_hz or 1)

    @contextlib.contextmanager
    def local_path(self) -> Iterator[Path]:
        """Give a local path, for the length of the block; do not write to it."""
        uri = self.audio_uri
        with self.archive.local_copy(Layout.key_in(uri)) as path:
            if not path.is_file():
                raise StorageError(f"{uri} is cataloged but not there: restore it, or sync its day")
            yield path

    @contextlib.contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Give a readable, seekable file, for the length of the block."""
        with self.local_path() as path, path.open("rb") as file:
            yield file

    def samples(self) -> "npt.NDArray[np.float32]":
        """Return the audio decoded whole: shape (audio_samples, audio_channels), float32, full scale at 1.0.

        An hour of 16 kHz mono takes 230 MB; `recall_pipeline.audio.segments` goes through it window by window.
        """
        import numpy as np

        from recall_pipeline.audio import Decoder

        with self.local_path() as path:
            return np.concatenate([block.samples for block in Decoder(path).blocks()])


def read_recordings(
    *,
    first: date | None = None,
    last: date | None = None,
    outcomes: Collection[str] | None = (Outcome.READY,),
    settings: Settings | None = None,
) -> Iterator[ArchivedRecording]:
    """Yield the recordings of the days from `first` to `last` (both included; None: open), in the order they began.

    Those of other outcomes than `outcomes` are left out (None: none is). A day's table is read when the iteration
    reaches it. Raises StorageError when the archive cannot be read.
    """
    archive = open_archive(settings or load_settings())
    return _recordings(archive, first, last, outcomes)


def _recordings(
    archive: Archive, first: date | None, last: date | None, outcomes: Collection[str] | None
) -> Iterator[ArchivedRecording]:
    for day in archive.days(CATALOG.name):
        if (first is None or first <= day) and (last is None or day <= last):
            for row in CATALOG.read(archive, day) or []:
                if outcomes is None or row.outcome in outcomes:
                    yield ArchivedRecording(day, row, archive)
