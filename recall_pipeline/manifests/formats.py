"""A line of each kind of manifest, as its toolkit documents it; lengths are exact, in samples."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from recall_pipeline.catalog import ArchivedRecording, CatalogRow

Line = dict[str, Any]
TABLE_COLUMNS = ("audio_path", "day", *(column.name for column in dataclasses.fields(CatalogRow)))


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of manifest: its file's name, and its line for a recording whose audio is found at `audio`.

    `takes_files_beside` says that its toolkit opens nothing but files below the manifest's folder; `from_anywhere` that
    it looks for a relative path from its own working folder, so that paths have to be absolute.
    """

    file_name: str
    line: Callable[[ArchivedRecording, str], Line]
    takes_files_beside: bool = False
    from_anywhere: bool = False


def lhotse(recording: ArchivedRecording, audio: str) -> Line:
    """Return a Recording of lhotse's `RecordingSet` (lhotse.readthedocs.io, "Recording manifest")."""
    row = recording.row
    channels = list(range(row.audio_channels or 0))
    kind = "url" if "://" in audio else "file"
    return {
        "id": row.key,
        "sources": [{"type": kind, "channels": channels, "source": audio}],
        "sampling_rate": row.audio_sample_rate_hz,
        "num_samples": row.audio_samples,
        "duration": recording.audio_seconds,
        "channel_ids": channels,
    }


def nemo(recording: ArchivedRecording, audio: str) -> Line:
    """Return a line of an ASR manifest of NVIDIA NeMo; without `text`, which is for whoever has a transcript."""
    row = recording.row
    return {
        "audio_filepath": audio,
        "duration": recording.audio_seconds,
        "orig_sample_rate": row.audio_sample_rate_hz,
        **_identity_columns(recording),
    }


def huggingface(recording: ArchivedRecording, audio: str) -> Line:
    """Return a line of the metadata of a Hugging Face AudioFolder."""
    row = recording.row
    return {
        "file_name": audio,
        "duration_seconds": recording.audio_seconds,
        "sampling_rate": row.audio_sample_rate_hz,
        "channels": row.audio_channels,
        "speech_ratio": row.speech_ratio,
        **_identity_columns(recording),
    }


def table(recording: ArchivedRecording, audio: str) -> Line:
    """Return a line of a table: where the audio is, and all that the catalog knows."""
    values = dataclasses.asdict(recording.row)
    moments = {name: value.isoformat() for name, value in values.items() if isinstance(value, datetime)}
    return {"audio_path": audio, "day": recording.day.isoformat(), **values, **moments}


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "lhotse": Format("recordings.jsonl.gz", lhotse, from_anywhere=True),
        "nemo": Format("manifest.jsonl", nemo),
        "huggingface": Format("metadata.jsonl", huggingface, takes_files_beside=True),
        "csv": Format("recordings.csv", table),
    }
)
"""By the name under which one asks for it."""


def _identity_columns(recording: ArchivedRecording) -> Line:
    """Return what finds a line's recording in the catalog again, and its exact length."""
    row = recording.row
    return {
        "num_samples": row.audio_samples,
        "recording_id": row.recording_id,
        "audio_id": row.audio_id,
        "audio_sha256": row.audio_sha256,
        "day": recording.day.isoformat(),
    }
