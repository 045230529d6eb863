"""Which gain, and how much limiting, brings a spooled recording to the target."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.decoding import Samples
from recall_pipeline.audio.limiter import LOOKAHEAD_BLOCKS, Curve, Limiter
from recall_pipeline.audio.loudness import Energies, integrated_lufs
from recall_pipeline.audio.spool import Spool
from recall_pipeline.audio.true_peak import STRETCH, Interpolator, to_ratio, widened

_CHUNK_BLOCKS = 20_000
_TRIES = 8
_CLOSE_LU = 0.01
_CAP_LU = 0.1


@dataclass(frozen=True, slots=True)
class Level:
    """A gain and the ceiling that the limiter holds; no limiter without a ceiling."""

    gain_db: float
    ceiling_dbtp: float | None = None
    depth_db: float = 0.0
    cap_bites: bool = False


@dataclass(slots=True)
class Material:
    """A recording at the output's rate and channels, waiting for its level.

    `sound` holds its samples, `energies` the mean K-weighted square of every whole block of
    `block` samples, `blocks_a_hop` of which make 100 ms.
    """

    sound: Spool
    energies: Spool
    block: int
    blocks_a_hop: int
    lufs: float | None
    true_peak_db: float | None
    peaks: Spool | None = None

    def blocks(self) -> int:
        """How many blocks the sound fills, the last perhaps not wholly."""
        return -(-self.sound.rows // self.block)


def solve(material: Material, target_lufs: float, ceiling_dbtp: float, max_db: float) -> Level:
    """Find the level at which the limited recording has the target's loudness."""
    assert material.lufs is not None and material.true_peak_db is not None  # noqa: S101, PT018
    gain_db = target_lufs - material.lufs
    highest_db = ceiling_dbtp - material.true_peak_db
    if gain_db <= highest_db:
        return Level(gain_db)
    most_db = highest_db + max_db
    gain_db, missing_lu = _search(
        material, target_lufs, ceiling_dbtp, min(gain_db, most_db), most_db, max_db
    )
    return Level(gain_db, ceiling_dbtp, gain_db - highest_db, missing_lu > _CAP_LU)


def _search(
    material: Material, target: float, ceiling: float, gain_db: float, most_db: float, max_db: float
) -> tuple[float, float]:
    """Secant steps; loudness only grows with gain, and never faster than it."""
    slope, last, missing = 0.8, None, 0.0
    for _ in range(_TRIES):
        lufs = integrated_lufs(_limited_energies(material, gain_db, ceiling, max_db))
        missing = target - (lufs if lufs is not None else -70.0)
        if abs(missing) < _CLOSE_LU or (gain_db >= most_db and missing > 0):
            break
        if last is not None and gain_db != last[0]:
            slope = min(1.0, max(0.1, (last[1] - missing) / (gain_db - last[0])))
        last = gain_db, missing
        gain_db = min(most_db, gain_db + missing / slope)
    return gain_db, missing


def _limited_energies(
    material: Material, gain_db: float, ceiling_dbtp: float, max_db: float
) -> Energies:
    """Energies of 100 ms as they would be at this gain."""
    parts = []
    for start, energies in material.energies.chunks(_CHUNK_BLOCKS):
        reduction = reductions_db(
            material, Level(gain_db, ceiling_dbtp), max_db, start, start + len(energies)
        )
        column = energies[:, 0]
        parts.append(column if reduction is None else column * 10 ** (reduction / 10))
    blocks = np.concatenate(parts).astype(np.float64)
    whole = blocks.size - blocks.size % material.blocks_a_hop
    hops = blocks[:whole].reshape(-1, material.blocks_a_hop).mean(axis=1)
    return hops * 10 ** (gain_db / 10)


def reductions_db(
    material: Material, level: Level, max_db: float, start: int, end: int
) -> Curve | None:
    """Limiting of blocks start to end in dB, None when none is needed there."""
    if level.ceiling_dbtp is None:
        return None
    limiter = Limiter(to_ratio(level.ceiling_dbtp))
    margin = limiter.margin(max_db)
    peaks = _peaks(material).read(start - margin, end + LOOKAHEAD_BLOCKS)[:, 0]
    gain = to_ratio(level.gain_db)
    if peaks.max(initial=0.0) * gain <= limiter.ceiling:
        return None
    return limiter.reduction_db(peaks, gain, margin, margin + end - start)


def leveled(material: Material, level: Level, max_db: float) -> Iterator[Samples]:
    """Yield the recording at this level, full scale at 1.0."""
    block, gain = material.block, np.float32(to_ratio(level.gain_db))
    for start in range(0, material.blocks(), _CHUNK_BLOCKS):
        end = min(material.blocks(), start + _CHUNK_BLOCKS)
        samples = material.sound.read(start * block, min(material.sound.rows, end * block))
        reduction = reductions_db(material, level, max_db, start - 1, end + 1)
        samples *= gain
        if reduction is not None:
            samples *= _ramps(reduction, block)[: len(samples), None]
        yield samples


def _ramps(reduction_db: Curve, block: int) -> npt.NDArray[np.float32]:
    """Gain of every sample: straight lines between the seams of blocks."""
    seams = 10 ** (np.minimum(reduction_db[1:], reduction_db[:-1]) / 20)
    share = np.arange(block, dtype=np.float32) / block
    return (seams[:-1, None] + np.diff(seams)[:, None] * share).astype(np.float32).ravel()


def _peaks(material: Material) -> Spool:
    """True peak of every block, found when first asked for."""
    if material.peaks is None:
        material.peaks = Spool(material.sound.folder, 1)
        interpolator = Interpolator(factor=4, reach=16)
        for start in range(0, material.blocks(), _CHUNK_BLOCKS):
            end = min(material.blocks(), start + _CHUNK_BLOCKS)
            found = _block_peaks(material, interpolator, start, end)
            material.peaks.append(found[:, None])
    return material.peaks


def _block_peaks(material: Material, interpolator: Interpolator, start: int, end: int) -> Curve:
    block, reach = material.block, interpolator.reach
    first, length = start * block, (end - start) * block
    whole = -(-length // STRETCH) * STRETCH
    samples = material.sound.read(first - reach, first + whole + reach)
    loudest = np.zeros(whole, dtype=np.float32)
    for wave in samples.T:
        np.maximum(loudest, _true_peaks(np.ascontiguousarray(wave), interpolator), out=loudest)
    return _maxima(loudest[:length], block)


def _true_peaks(wave: npt.NDArray[np.float32], interpolator: Interpolator) -> Curve:
    reach = interpolator.reach
    peaks = np.abs(wave[reach:-reach])
    stretches = np.flatnonzero(widened(_maxima(peaks, STRETCH)) > 0)
    for batch in np.array_split(stretches, range(512, stretches.size, 512)):
        found = interpolator.peaks(wave, batch).max(axis=2)
        peaks.reshape(-1, STRETCH)[batch] = found
    return peaks


def _maxima(values: npt.NDArray[np.float32], block: int) -> npt.NDArray[np.float32]:
    """Largest of every `block` values; column by column is many times faster than row by row."""
    rows = values.reshape(-1, block)
    most = rows[:, 0].copy()
    for column in range(1, block):
        np.maximum(most, rows[:, column], out=most)
    return most
