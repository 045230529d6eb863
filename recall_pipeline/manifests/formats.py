"""Manifest formats: one line per recording, as the toolkits document it. Lengths are exact, in samples."""

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
    """A manifest format: its file name, and a function of a recording and its audio path that returns a line.

    `needs_files_beside`: the toolkit opens only files below the folder of the manifest. `needs_absolute_paths`: the
    toolkit resolves relative paths against its working folder.
    """

    file_name: str
    line: Callable[[ArchivedRecording, str], Line]
    needs_files_beside: bool = False
    needs_absolute_paths: bool = False


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
    """Return a line of an ASR manifest of NVIDIA NeMo; it has no `text`, because the catalog has no transcripts."""
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
    """Return a row of a table: the audio path, the day, and every column of the catalog; a list is joined by `;`."""
    values = dataclasses.asdict(recording.row)
    timestamps = {name: value.isoformat() for name, value in values.items() if isinstance(value, datetime)}
    lists = {name: ";".join(value) for name, value in values.items() if isinstance(value, list)}
    return {"audio_path": audio, "day": recording.day.isoformat(), **values, **timestamps, **lists}


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "lhotse": Format("recordings.jsonl.gz", lhotse, needs_absolute_paths=True),
        "nemo": Format("manifest.jsonl", nemo),
        "huggingface": Format("metadata.jsonl", huggingface, needs_files_beside=True),
        "csv": Format("recordings.csv", table),
    }
)
"""Formats by their names in `export --to`."""


def _identity_columns(recording: ArchivedRecording) -> Line:
    """Return the columns that identify the recording in the catalog, and its exact length."""
    row = recording.row
    return {
        "num_samples": row.audio_samples,
        "recording_id": row.recording_id,
        "audio_id": row.audio_id,
        "audio_sha256": row.audio_sha256,
        "day": recording.day.isoformat(),
    }
