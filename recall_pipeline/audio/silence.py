"""Where nobody speaks, read off the energies of 100 ms that loudness needs anyway."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.loudness import HOPS_A_SECOND, SILENCE_LUFS, Energies, to_energy

SHORTEST_HOPS = 5
"""A pause of half a second is a silence; shorter ones belong to the speech around them."""

_BELOW_SPEECH = 10 ** (-25 / 10)


def threshold(energies: Energies) -> float:
    """Energy under which 100 ms are quiet: 25 dB below the mean of what is not silent."""
    floor = to_energy(SILENCE_LUFS)
    heard = energies[energies > floor]
    return max(floor, _BELOW_SPEECH * float(heard.mean())) if heard.size else np.inf


def quiet_hops(energies: Energies) -> npt.NDArray[np.bool_]:
    """Which hops belong to silences of at least half a second."""
    quiet = energies < threshold(energies)
    for start, end in runs(quiet):
        quiet[start:end] = end - start >= SHORTEST_HOPS
    return quiet


def silences(energies: Energies) -> tuple[tuple[float, float], ...]:
    """(start, end) in seconds of every silence."""
    quiet = runs(quiet_hops(energies))
    return tuple((start / HOPS_A_SECOND, end / HOPS_A_SECOND) for start, end in quiet)


def speech_ratio(energies: Energies) -> float:
    """Share of the time outside silences, 0 to 1."""
    return 1.0 - float(quiet_hops(energies).mean()) if energies.size else 0.0


def runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(start, end) of every stretch of true flags."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    return [(int(a), int(b)) for a, b in list(pairwise(edges))[::2]]
