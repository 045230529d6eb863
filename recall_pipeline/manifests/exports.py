"""Write one manifest of the recordings that are ready."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from recall_pipeline.catalog import read_catalog, read_recordings
from recall_pipeline.errors import UsageError
from recall_pipeline.manifests.audio_links import AudioLink, copied, in_archive, linked
from recall_pipeline.manifests.formats import FORMATS, Format
from recall_pipeline.manifests.output_files import lines_into
from recall_pipeline.progress import Progress, no_progress
from recall_pipeline.settings import Settings

_COPIED = "Its audio is copied beside it, where forgetting a recording does not reach: remove it yourself."
_LINKED = "Beside it are links to the audio in the archive; --copy makes it a folder to take elsewhere."
_NAMED = "It names the audio where it lies in the archive; --copy makes it a folder to take elsewhere."


@dataclass(frozen=True, slots=True)
class Exported:
    """A manifest as it was written, how much it lists, and in words where its audio is."""

    manifest: Path
    recordings: int
    duration_seconds: float
    audio_is: str


def export(
    settings: Settings,
    kind: str,
    folder: Path,
    *,
    progress: Progress = no_progress,
    first: date | None = None,
    last: date | None = None,
    copy: bool = False,
) -> Exported:
    """Write the manifest of `kind`, one of FORMATS, for the days from `first` to `last` (both included; None: open).

    Raises UsageError where the toolkit could not find the audio, StorageError when the archive cannot be read.
    """
    form = FORMATS[kind]
    place, audio_is = _choose(settings, form, copy=copy)
    total = len(read_catalog(first=first, last=last, outcomes=["ready"], columns=["audio_id"], settings=settings))
    written, seconds = 0, 0.0
    with lines_into(folder / form.file_name) as write:
        for written, recording in enumerate(read_recordings(first=first, last=last, settings=settings), start=1):
            write(form.line(recording, place(recording, folder)))
            seconds += recording.audio_seconds
            progress(written, total)
    return Exported(folder / form.file_name, written, seconds, audio_is)


def _choose(settings: Settings, form: Format, *, copy: bool) -> tuple[AudioLink, str]:
    """Return how the audio is placed, and what a person has to know about it."""
    if copy:
        return (_absolutely(copied) if form.from_anywhere else copied), _COPIED
    if not form.takes_files_beside:
        return in_archive, _NAMED
    if not settings.storage_is_local:
        raise UsageError(
            f"{form.file_name} can name no files but those beside it, and the archive is at {settings.storage_root}: "
            "give --copy"
        )
    return linked, _LINKED


def _absolutely(place: AudioLink) -> AudioLink:
    return lambda recording, folder: str((folder / place(recording, folder)).absolute())
