"""Which gain, and how much limiting, brings a recording to the target."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf

import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.decoder import Samples
from recall_pipeline.audio.intermediate import BLOCKS_A_CHUNK, Material
from recall_pipeline.audio.limiter import LOOKAHEAD_BLOCKS, Curve, Limiter
from recall_pipeline.audio.loudness import SILENCE_LUFS, Energies, Series, integrated_lufs
from recall_pipeline.audio.true_peak import to_ratio

_TRIES = 8
_CLOSE_LU = 0.01
_CAP_LU = 0.1
_LEAST_SLOPE = 0.1
_FIRST_SLOPE = 0.8  # of loudness over gain while a limiter works on speech


@dataclass(frozen=True, slots=True)
class Level:
    """A gain, and the limiter behind it when one is needed.

    `depth_db` is the deepest limiting, `short_lu` what the limiter's cap leaves to the target.
    """

    gain_db: float
    limiter: Limiter | None = None
    depth_db: float = 0.0
    short_lu: float = 0.0


def solve(material: Material, target_lufs: float, ceiling_dbtp: float, limiter_max_db: float) -> Level:
    """Find the level that brings material to the target under the ceiling."""
    level, _ = _search(material, Level(target_lufs - material.lufs), target_lufs, inf)
    headroom_db = ceiling_dbtp - material.true_peak_db
    if level.gain_db <= headroom_db:
        return level
    most_db = headroom_db + limiter_max_db
    limited = Level(min(level.gain_db, most_db), Limiter(to_ratio(ceiling_dbtp), limiter_max_db))
    level, missing_lu = _search(material, limited, target_lufs, most_db)
    return replace(level, depth_db=level.gain_db - headroom_db, short_lu=missing_lu if missing_lu > _CAP_LU else 0.0)


def _search(material: Material, level: Level, target_lufs: float, most_db: float) -> tuple[Level, float]:
    """Secant steps to the gain, from that of `level`; gives what is missing as well.

    Even without a limiter loudness does not just follow gain: as sound rises over the absolute
    gate the relative one sinks.
    """
    slope, missing_lu, step_db = 1.0 if level.limiter is None else _FIRST_SLOPE, 0.0, 0.0
    for _ in range(_TRIES):
        before_lu, missing_lu = missing_lu, target_lufs - lufs_at(material, level)
        if step_db:
            slope = min(1.0, max(_LEAST_SLOPE, (before_lu - missing_lu) / step_db))
        if abs(missing_lu) < _CLOSE_LU or (missing_lu > 0 and level.gain_db >= most_db):
            break
        step_db = min(most_db - level.gain_db, missing_lu / slope)
        level = replace(level, gain_db=level.gain_db + step_db)
    return level, missing_lu


def lufs_at(material: Material, level: Level) -> float:
    """Integrated loudness as it will be at a level; SILENCE_LUFS where there is none."""
    energies = material.hops if level.limiter is None else _limited_energies(material, level)
    lufs = integrated_lufs(energies * 10 ** (level.gain_db / 10))
    return SILENCE_LUFS if lufs is None else lufs


def _limited_energies(material: Material, level: Level) -> Energies:
    """Energies of 100 ms as they would be after this level's limiter, but for its gain."""
    hops = Series()
    for start, rows in material.energies.chunks(BLOCKS_A_CHUNK):
        energies = rows[:, 0]
        reduction_db = _reduction_db(material, level, start, start + len(energies))
        if reduction_db is not None:
            energies *= 10 ** (reduction_db / 10)
        whole = energies.size - energies.size % material.hop_blocks
        hops.extend(energies[:whole].reshape(-1, material.hop_blocks).mean(axis=1))
    return hops.values


def _reduction_db(material: Material, level: Level, start: int, end: int) -> Curve | None:
    """Limiting of blocks start to end, None where there is none."""
    if level.limiter is None:
        return None
    margin = level.limiter.margin_blocks
    peaks = material.peaks(level.limiter.max_db).read(start - margin, end + LOOKAHEAD_BLOCKS)[:, 0]
    peaks *= to_ratio(level.gain_db)
    if peaks.max() <= level.limiter.ceiling:
        return None
    return level.limiter.reduction_db(peaks)


def leveled(material: Material, level: Level) -> Iterator[Samples]:
    """Yield the recording at this level, full scale at 1.0."""
    gain = np.float32(to_ratio(level.gain_db))
    for start in range(0, material.blocks, BLOCKS_A_CHUNK):
        end = min(material.blocks, start + BLOCKS_A_CHUNK)
        last = min(material.sound.rows, end * material.block_samples)
        samples = material.sound.read(start * material.block_samples, last)
        samples *= gain
        reduction_db = _reduction_db(material, level, start - 1, end + 1)
        if reduction_db is not None:
            samples *= _ramps(reduction_db, material.block_samples)[: len(samples), None]
        yield samples


def _ramps(reduction_db: Curve, block_samples: int) -> npt.NDArray[np.float32]:
    """Gain of every sample of the inner blocks: straight lines between the seams of blocks."""
    seams = 10 ** (np.minimum(reduction_db[1:], reduction_db[:-1]) / np.float32(20))
    share = np.arange(block_samples, dtype=np.float32) / np.float32(block_samples)
    return np.asarray(seams[:-1, None] + np.diff(seams)[:, None] * share, dtype=np.float32).ravel()
