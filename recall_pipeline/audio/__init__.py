"""Make it ready for machines that listen: what an MP3 holds, at one level, in one format.

Belongs here: decoding, loudness, true peak, limiting, encoding, silences, windows for
transcription, and the pool of processes that does this to many files at once.
Does not: networks, storage addresses, tables, Dagster. A path comes in, typed facts go out.

    prove(path)                              is it whole? decode it once, nothing else
    inspect(path)                            the same, and all that can be heard in it
    normalize(source, destination, target)   a file at the target's loudness, proven by decoding it
    segments(path)                           windows that end in silences, for transcription
    run_tasks(function, tasks, workers=2)    one file a task, a process a worker
    worker_processes(2)                      the pool of such processes, for whoever keeps one open

The codecs are loaded when one of these is first used, so importing this room costs nothing.
"""

from typing import TYPE_CHECKING, Any

from recall_pipeline.audio.pool import Done, run_tasks, worker_processes
from recall_pipeline.audio.results import Inspection, Normalized, Proof
from recall_pipeline.audio.target import Target

if TYPE_CHECKING:
    from recall_pipeline.audio.decoder import Decoding
    from recall_pipeline.audio.inspection import inspect, prove
    from recall_pipeline.audio.normalization import normalize
    from recall_pipeline.audio.segmentation import Segment, segments

__all__ = [
    "Decoding",
    "Done",
    "Inspection",
    "Normalized",
    "Proof",
    "Segment",
    "Target",
    "inspect",
    "normalize",
    "prove",
    "run_tasks",
    "segments",
    "worker_processes",
]

_LOADED_ON_USE = {
    "Decoding": "decoder",
    "Segment": "segmentation",
    "inspect": "inspection",
    "normalize": "normalization",
    "prove": "inspection",
    "segments": "segmentation",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _LOADED_ON_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LOADED_ON_USE[name]}"), name)
