"""Where a manifest finds its audio: in the archive, or in the folder `audio` beside it, as links or as copies."""

import shutil
from collections.abc import Callable
from pathlib import Path

from recall_pipeline.catalog import ArchivedRecording
from recall_pipeline.manifests.output_files import atomic_write

AudioLink = Callable[[ArchivedRecording, Path], str]
"""Sees to it that a manifest in a folder finds a recording's audio, and returns how the manifest names it."""

_VERSION_LENGTH = 8


def in_archive(recording: ArchivedRecording, folder: Path) -> str:  # noqa: ARG001 -- a Place
    """Leave it where it is: a path on a disk, else a URI."""
    return recording.audio_uri.removeprefix("file://")


def linked(recording: ArchivedRecording, folder: Path) -> str:
    """Link to it from the folder."""
    name = _name(recording)
    with atomic_write(folder / name) as link:
        link.symlink_to(in_archive(recording, folder))
    return name


def copied(recording: ArchivedRecording, folder: Path) -> str:
    """Copy it into the folder, unless an earlier export did."""
    name = _name(recording)
    if (folder / name).is_symlink() or not (folder / name).is_file():
        with recording.local_path() as audio, atomic_write(folder / name) as copy:
            shutil.copy(audio, copy)
    return name


def _name(recording: ArchivedRecording) -> str:
    """Return a name that other bytes never get."""
    row = recording.row
    return f"audio/{row.key}-{(row.audio_sha256 or '')[:_VERSION_LENGTH]}.{row.audio_format}"
