"""What a download needs to know of a normalization that shares its decode (docs/design/adr/0019-decode-once.md)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from recall_pipeline.audio import Normalized
from recall_pipeline.download.rows import MixedAudioRow

NormalizeFile = Callable[[Path], Normalized]
"""Normalizes a file to where it was made for. Picklable; runs in the process that decodes."""


class EarlyNormalizer(Protocol):
    """Normalizes MP3s while they are checked. It raises nothing: the catalog makes what this does not."""

    def staged(self, row: MixedAudioRow) -> AbstractContextManager[Path | None]:
        """Give the path for the normalized file, for the length of the download; None for an MP3 to check only."""

    def task(self, staged: Path) -> NormalizeFile:
        """Return what writes the normalized file to `staged`."""

    def publish(self, row: MixedAudioRow, staged: Path, made: Normalized) -> None:
        """Publish the normalized file of an MP3 that is archived now, and record it for the catalog."""
