"""Solve the gain, and the limiting if needed, that brings a recording to the target loudness."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf

import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.decoder import Samples
from recall_pipeline.audio.intermediate import BLOCKS_PER_CHUNK, Intermediate
from recall_pipeline.audio.limiter import LOOKAHEAD_BLOCKS, Curve, Limiter
from recall_pipeline.audio.loudness import SILENCE_LUFS, Energies, FloatBuffer, integrated_lufs
from recall_pipeline.audio.true_peak import to_ratio

_MAX_STEPS = 8
_TOLERANCE_LU = 0.01
_MIN_SHORTFALL_LU = 0.1
_MIN_SLOPE = 0.1
_LIMITED_SLOPE = 0.8  # first guess of loudness over gain, for speech with an active limiter


@dataclass(frozen=True, slots=True)
class GainPlan:
    """A gain, and a limiter after it if one is needed.

    `limiter_depth_db` is the maximum gain reduction. `shortfall_lu` is how far the loudness stays
    below the target because of `limiter_max_db`.
    """

    gain_db: float
    limiter: Limiter | None = None
    limiter_depth_db: float = 0.0
    shortfall_lu: float = 0.0


def solve_gain(intermediate: Intermediate, target_lufs: float, ceiling_dbtp: float, limiter_max_db: float) -> GainPlan:
    """Return the plan that brings the recording to the target loudness under the ceiling."""
    plan, _ = _search(intermediate, GainPlan(target_lufs - intermediate.lufs), target_lufs, inf)
    headroom_db = ceiling_dbtp - intermediate.true_peak_dbtp
    if plan.gain_db <= headroom_db:
        return plan
    max_gain_db = headroom_db + limiter_max_db
    limited = GainPlan(min(plan.gain_db, max_gain_db), Limiter(to_ratio(ceiling_dbtp), limiter_max_db))
    plan, missing_lu = _search(intermediate, limited, target_lufs, max_gain_db)
    shortfall_lu = missing_lu if missing_lu > _MIN_SHORTFALL_LU else 0.0
    return replace(plan, limiter_depth_db=plan.gain_db - headroom_db, shortfall_lu=shortfall_lu)


def _search(
    intermediate: Intermediate, plan: GainPlan, target_lufs: float, max_gain_db: float
) -> tuple[GainPlan, float]:
    """Search the gain by secant steps that start at `plan`; return the plan and the missing LU.

    Even without a limiter, loudness does not rise by exactly the gain: audio that rises above the
    absolute gate lowers the relative gate.
    """
    slope, missing_lu, step_db = 1.0 if plan.limiter is None else _LIMITED_SLOPE, 0.0, 0.0
    for _ in range(_MAX_STEPS):
        before_lu, missing_lu = missing_lu, target_lufs - predicted_lufs(intermediate, plan)
        if step_db:
            slope = min(1.0, max(_MIN_SLOPE, (before_lu - missing_lu) / step_db))
        if abs(missing_lu) < _TOLERANCE_LU or (missing_lu > 0 and plan.gain_db >= max_gain_db):
            break
        step_db = min(max_gain_db - plan.gain_db, missing_lu / slope)
        plan = replace(plan, gain_db=plan.gain_db + step_db)
    return plan, missing_lu


def predicted_lufs(intermediate: Intermediate, plan: GainPlan) -> float:
    """Return the integrated loudness in LUFS after applying a plan; SILENCE_LUFS if nothing is above the gate."""
    energies = intermediate.hop_energies if plan.limiter is None else _limited_energies(intermediate, plan)
    lufs = integrated_lufs(energies * 10 ** (plan.gain_db / 10))
    return SILENCE_LUFS if lufs is None else lufs


def _limited_energies(intermediate: Intermediate, plan: GainPlan) -> Energies:
    """Return the energies per hop after the plan's limiter, without its gain."""
    hop_energies = FloatBuffer()
    for start, rows in intermediate.block_energies.chunks(BLOCKS_PER_CHUNK):
        energies = rows[:, 0]
        reduction_db = _reduction_db(intermediate, plan, start, start + len(energies))
        if reduction_db is not None:
            energies *= 10 ** (reduction_db / 10)
        whole = energies.size - energies.size % intermediate.blocks_per_hop
        hop_energies.extend(energies[:whole].reshape(-1, intermediate.blocks_per_hop).mean(axis=1))
    return hop_energies.values


def _reduction_db(intermediate: Intermediate, plan: GainPlan, start: int, end: int) -> Curve | None:
    """Return the gain reduction of blocks `start` to `end`; None if no block exceeds the ceiling."""
    if plan.limiter is None:
        return None
    peaks = intermediate.block_peaks(plan.limiter.max_db)
    near = peaks.read(start - plan.limiter.history_blocks, end + LOOKAHEAD_BLOCKS)[:, 0]
    near *= to_ratio(plan.gain_db)
    return None if near.max() <= plan.limiter.ceiling else plan.limiter.reduction_db(near)


def apply_gain(intermediate: Intermediate, plan: GainPlan) -> Iterator[Samples]:
    """Yield the recording with the plan applied, shape (frames, channels), full scale at 1.0."""
    gain = np.float32(to_ratio(plan.gain_db))
    for start in range(0, intermediate.block_count, BLOCKS_PER_CHUNK):
        end = min(intermediate.block_count, start + BLOCKS_PER_CHUNK)
        last = min(intermediate.samples.rows, end * intermediate.samples_per_block)
        samples = intermediate.samples.read(start * intermediate.samples_per_block, last)
        samples *= gain
        reduction_db = _reduction_db(intermediate, plan, start - 1, end + 1)
        if reduction_db is not None:
            samples *= _ramps(reduction_db, intermediate.samples_per_block)[: len(samples), None]
        yield samples


def _ramps(reduction_db: Curve, samples_per_block: int) -> npt.NDArray[np.float32]:
    """Return the gain of each sample of the inner blocks: straight lines between block boundaries."""
    boundaries = 10 ** (np.minimum(reduction_db[1:], reduction_db[:-1]) / np.float32(20))
    share = np.arange(samples_per_block, dtype=np.float32) / np.float32(samples_per_block)
    return np.asarray(boundaries[:-1, None] + np.diff(boundaries)[:, None] * share, dtype=np.float32).ravel()
