"""Counts of damage within a recording."""

from dataclasses import dataclass


@dataclass(slots=True)
class Damage:
    """Damage between good frames or packets of a file.

    `refused_frames` were found but do not decode, `silent_frames` include those that are missing.
    `stretches` counts damaged places, `first_seconds` is when the first one starts.
    """

    refused_frames: int = 0
    silent_frames: int = 0
    silent_seconds: float = 0.0
    stretches: int = 0
    first_seconds: float = 0.0
    zero_runs: int = 0
    zero_bytes: int = 0
