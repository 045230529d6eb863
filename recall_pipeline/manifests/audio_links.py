"""Location of the audio of a manifest: in the archive, or in the folder `audio` beside it, as links or copies."""

import shutil
from collections.abc import Callable
from pathlib import Path

from recall_pipeline.catalog import ArchivedRecording
from recall_pipeline.manifests.output_files import atomic_write

AudioLink = Callable[[ArchivedRecording, Path], str]
"""Provides the audio of a recording for a manifest in a folder, and returns its path or URI for the manifest."""

_HASH_LENGTH = 8  # characters of the SHA-256 in a file name


def in_archive(recording: ArchivedRecording, folder: Path) -> str:  # noqa: ARG001 -- an AudioLink
    """Return the location in the archive: a local path, else a URI."""
    return recording.audio_uri.removeprefix("file://")


def linked(recording: ArchivedRecording, folder: Path) -> str:
    """Create a symbolic link in the folder; return its relative path."""
    name = _name(recording)
    with atomic_write(folder / name) as link:
        link.symlink_to(in_archive(recording, folder))
    return name


def copied(recording: ArchivedRecording, folder: Path) -> str:
    """Copy the audio into the folder, unless an earlier export did; return its relative path."""
    name = _name(recording)
    if (folder / name).is_symlink() or not (folder / name).is_file():
        with recording.local_path() as audio, atomic_write(folder / name) as copy:
            shutil.copy(audio, copy)
    return name


def _name(recording: ArchivedRecording) -> str:
    """Return a file name that identifies the bytes: it contains the start of their SHA-256."""
    row = recording.row
    return f"audio/{row.key}-{(row.audio_sha256 or '')[:_HASH_LENGTH]}.{row.audio_format}"
