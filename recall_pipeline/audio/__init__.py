"""Decode, measure and normalize audio files.

Belongs here: decoding, loudness, true peak, limiting, encoding, silences, windows for
transcription, and the process pool that does this for many files at once.
Does not belong here: networks, storage addresses, tables, Dagster.
Comes in: a path. Goes out: a file and typed, picklable results.

    decode_whole(path)                       decode the whole file and count what was decoded
    inspect(path)                            the same, with loudness, true peak and silences
    normalize(source, destination, target)   write a file at the target's loudness, and check it
    segments(path)                           windows for transcription that end in silences
    run_tasks(function, tasks, workers=2)    one task per file, one process per worker
    Worker()                                 one process, for callers that keep it open
    time_limit_seconds(size_bytes)           how long a task on a file may take

Codecs are loaded on first use, so importing this package is cheap.
"""

from typing import TYPE_CHECKING, Any

from recall_pipeline.audio.findings import AudioFinding, AudioFindingCode
from recall_pipeline.audio.pool import Done, run_tasks
from recall_pipeline.audio.results import DecodeResult, Inspection, Normalized, Peaks
from recall_pipeline.audio.target import Target
from recall_pipeline.audio.worker import Worker, time_limit_seconds

if TYPE_CHECKING:
    from recall_pipeline.audio.decoder import Decoder
    from recall_pipeline.audio.inspection import decode_whole, inspect
    from recall_pipeline.audio.normalization import normalize
    from recall_pipeline.audio.segmentation import Segment, segments

__all__ = [
    "AudioFinding",
    "AudioFindingCode",
    "DecodeResult",
    "Decoder",
    "Done",
    "Inspection",
    "Normalized",
    "Peaks",
    "Segment",
    "Target",
    "Worker",
    "decode_whole",
    "inspect",
    "normalize",
    "run_tasks",
    "segments",
    "time_limit_seconds",
]

_LOADED_ON_USE = {
    "Decoder": "decoder",
    "Segment": "segmentation",
    "decode_whole": "inspection",
    "inspect": "inspection",
    "normalize": "normalization",
    "segments": "segmentation",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _LOADED_ON_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LOADED_ON_USE[name]}"), name)
