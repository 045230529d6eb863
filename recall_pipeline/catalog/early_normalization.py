"""Normalize MP3s in the process that decodes them to check them; `sync_catalog` takes up what was made.

This saves one of two decodes (docs/design/adr/0019-decode-once.md). Whatever fails here, the catalog makes up for: it
normalizes what has no record. What expires soon is only checked, so that nothing delays its download, and so is what
an interrupted sync normalized.
"""

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from recall_pipeline.audio import Normalized, Target
from recall_pipeline.catalog.normalization import NormalizeTask, publish_normalized, target_of
from recall_pipeline.catalog.quality_checks import EXPIRES_SOON
from recall_pipeline.catalog.rows import CATALOG
from recall_pipeline.days import utc_now
from recall_pipeline.discovery import RECORDINGS
from recall_pipeline.download import MixedAudioRow, NormalizeFile
from recall_pipeline.errors import StorageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import ArchiveDay, Layout


@dataclass(slots=True)
class EarlyNormalization:
    """An `EarlyNormalizer` for MP3s that are archived for the first time. `normalized` counts the files it made."""

    day: ArchiveDay
    settings: Settings
    refetch: frozenset[str] = frozenset()
    normalized: int = 0
    _not_now: frozenset[str] = field(init=False)
    _cataloged: frozenset[str | None] | None = None
    _recorded: frozenset[str] | None = None

    def __post_init__(self) -> None:
        """Find the recordings whose MP3s are checked only."""
        soon = utc_now() + EXPIRES_SOON
        rows = self.day.rows(RECORDINGS)
        self._not_now = self.refetch | {row.recording_id for row in rows if _is_before(row.expires_at, soon)}

    @contextlib.contextmanager
    def staged(self, row: MixedAudioRow) -> Iterator[Path | None]:
        """Give a path in the staging folder; None if the MP3 is to be checked only, or the folder cannot be written."""
        with contextlib.ExitStack() as stack:
            path: Path | None = None
            if row.state is None and row.recording_id not in self._not_now and not self.settings.uses_dask:
                with contextlib.suppress(StorageError):
                    if not self._is_recorded(row):
                        path = stack.enter_context(self.day.archive.staged_file(suffix=f".{self._target.format}"))
            yield path

    def task(self, staged: Path) -> NormalizeFile:
        """Return what writes the normalized file to `staged`."""
        from recall_pipeline.audio import normalize  # pickled by name: the process loads the audio package only

        return functools.partial(normalize, destination=staged, target=self._target)

    def publish(self, row: MixedAudioRow, staged: Path, made: Normalized) -> None:
        """Publish the file and its record, unless the catalog has a file of this MP3: `mixed_audio` was lost then."""
        with contextlib.suppress(StorageError):
            if self._cataloged is None:
                self._cataloged = frozenset(each.audio_id for each in self.day.rows(CATALOG) if each.audio_uri)
            if row.audio_id not in self._cataloged:
                task = NormalizeTask.of(self.day, self._target, row, None)
                publish_normalized(self.day.archive, task, staged, made)
                self.normalized += 1

    def _is_recorded(self, row: MixedAudioRow) -> bool:
        """Whether an interrupted sync recorded a file of this MP3; of the same bytes, the catalog takes it up."""
        if self._recorded is None:
            self._recorded = frozenset(self.day.archive.sizes_below(Layout.checkpoints(self.day.day)))
        return Layout.checkpoint(self.day.day, row.recording_id, row.audio_id) in self._recorded

    @property
    def _target(self) -> Target:
        return target_of(self.settings)


def _is_before(moment: datetime | None, other: datetime) -> bool:
    return moment is not None and moment < other
