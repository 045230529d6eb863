"""Write one manifest of the ready recordings."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from recall_pipeline.catalog import read_catalog, read_recordings
from recall_pipeline.errors import UsageError
from recall_pipeline.manifests.audio_links import AudioLink, copied, in_archive, linked
from recall_pipeline.manifests.formats import FORMATS, Format
from recall_pipeline.manifests.output_files import line_writer
from recall_pipeline.progress import Progress, no_progress
from recall_pipeline.settings import Settings

_COPIED = "The audio is copied beside it. `forget` does not remove these copies: delete them yourself."
_LINKED = "It references links to the audio in the archive; use --copy for a folder that can be moved."
_IN_ARCHIVE = "It references the audio in the archive; use --copy for a folder that can be moved."


@dataclass(frozen=True, slots=True)
class ExportReport:
    """A written manifest: its path, the recordings in it, and a sentence about the location of the audio."""

    manifest: Path
    recordings: int
    duration_seconds: float
    audio_note: str


def export(
    settings: Settings,
    format_name: str,
    folder: Path,
    *,
    progress: Progress = no_progress,
    first: date | None = None,
    last: date | None = None,
    copy: bool = False,
) -> ExportReport:
    """Write a manifest for the days from `first` to `last` (both included; None: open). `format_name` is in FORMATS.

    Raises UsageError if the toolkit could not open the audio in place, StorageError if the archive cannot be read.
    """
    manifest_format = FORMATS[format_name]
    link, audio_note = _choose_link(settings, manifest_format, copy=copy)
    total = len(read_catalog(first=first, last=last, outcomes=["ready"], columns=["audio_id"], settings=settings))
    written, seconds = 0, 0.0
    with line_writer(folder / manifest_format.file_name) as write:
        for written, recording in enumerate(read_recordings(first=first, last=last, settings=settings), start=1):
            write(manifest_format.line(recording, link(recording, folder)))
            seconds += recording.audio_seconds
            progress(written, total)
    return ExportReport(folder / manifest_format.file_name, written, seconds, audio_note)


def _choose_link(settings: Settings, manifest_format: Format, *, copy: bool) -> tuple[AudioLink, str]:
    """Return how the manifest references the audio, and a sentence about it."""
    if copy:
        return (_absolute(copied) if manifest_format.needs_absolute_paths else copied), _COPIED
    if not manifest_format.needs_files_beside:
        return in_archive, _IN_ARCHIVE
    if not settings.storage_is_local:
        raise UsageError(
            f"{manifest_format.file_name} can only reference files beside it, "
            f"and the archive is at {settings.storage_root}: pass --copy"
        )
    return linked, _LINKED


def _absolute(link: AudioLink) -> AudioLink:
    return lambda recording, folder: str((folder / link(recording, folder)).absolute())
