"""Silences: pauses within a file, found in the energies per 100 ms that loudness needs anyway."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.loudness import HOPS_PER_SECOND, SILENCE_LUFS, Energies, lufs_to_energy

MIN_SILENCE_HOPS = 5
"""A silence lasts at least half a second. A shorter pause belongs to the speech around it."""

_SILENCE_RATIO = 10 ** (-25 / 10)


def silence_threshold(energies: Energies) -> float:
    """Return the energy below which a hop is quiet: 25 dB below the mean of all hops above -70 LUFS."""
    floor = lufs_to_energy(SILENCE_LUFS)
    above_floor = energies[energies > floor]
    return max(floor, _SILENCE_RATIO * float(above_floor.mean())) if above_floor.size else np.inf


def silent_hops(energies: Energies) -> npt.NDArray[np.bool_]:
    """Return one flag per hop: whether it belongs to a silence."""
    quiet = energies < silence_threshold(energies)
    for start, end in runs(quiet):
        quiet[start:end] = end - start >= MIN_SILENCE_HOPS
    return quiet


def silences(energies: Energies) -> tuple[tuple[float, float], ...]:
    """Return (start, end) in seconds of each silence."""
    hop_runs = runs(silent_hops(energies))
    return tuple((start / HOPS_PER_SECOND, end / HOPS_PER_SECOND) for start, end in hop_runs)


def speech_ratio(energies: Energies) -> float:
    """Return the share of the time outside silences, 0 to 1; 0 without energies."""
    return 1.0 - float(silent_hops(energies).mean()) if energies.size else 0.0


def runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return (start, end) of each run of true flags."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    return [(int(start), int(end)) for start, end in list(pairwise(edges))[::2]]
