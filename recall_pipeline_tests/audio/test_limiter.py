"""The limiter's curve never exceeds what a peak allows, and does not depend on where it is split."""

import numpy as np
import pytest

from recall_pipeline.audio.limiter import LOOKAHEAD_BLOCKS, Curve, Limiter

LIMITER = Limiter(ceiling=0.5, max_db=12.0)


def curve(peaks: Curve, start: int = 0, end: int | None = None) -> Curve:
    before, after = LIMITER.history_blocks, LOOKAHEAD_BLOCKS
    padded = np.pad(peaks, (before, after))
    return LIMITER.reduction_db(padded[start : before + (len(peaks) if end is None else end) + after])


@pytest.fixture
def peaks() -> Curve:
    return (np.random.default_rng(2).random(5000) ** 3 * 2).astype(np.float32)


def test_no_block_exceeds_the_ceiling(peaks: Curve) -> None:
    assert np.all(peaks * 10 ** (curve(peaks) / 20) <= 0.5 * 1.00001)


def test_every_block_has_a_reduction_and_none_is_amplified(peaks: Curve) -> None:
    reduction = curve(peaks)
    assert reduction.shape == peaks.shape
    assert reduction.max() <= 0


def test_audio_below_the_ceiling_is_not_changed() -> None:
    np.testing.assert_array_equal(curve(np.full(1000, 0.49, np.float32)), 0)


def test_a_peak_is_reduced_exactly_to_the_ceiling() -> None:
    peaks = np.zeros(1000, np.float32)
    peaks[500] = 1.0
    assert curve(peaks).min() == pytest.approx(-6.02, abs=0.01)
    assert np.flatnonzero(curve(peaks))[0] == 500 - LOOKAHEAD_BLOCKS


def test_a_part_computed_alone_equals_the_same_part_of_the_whole(peaks: Curve) -> None:
    np.testing.assert_allclose(curve(peaks, 1000, 3000), curve(peaks)[1000:3000], atol=1e-4)
