"""K-weighting by rows equals the standard's recursive filter, however the audio is split."""

import numpy as np
import pytest

from recall_pipeline.audio.k_weighting import Biquad, KWeighting, high_pass, shelf
from recall_pipeline_tests.audio.sounds import Sound, noise


def sample_by_sample(biquad: Biquad, wave: Sound) -> Sound:
    """Apply a biquad as the standard defines it."""
    b0, b1, b2, a1, a2 = biquad
    out, x1, x2, y1, y2 = np.empty_like(wave), 0.0, 0.0, 0.0, 0.0
    for at, x in enumerate(wave):
        y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
        out[at], x1, x2, y1, y2 = y, x, x1, y, y1
    return out


def test_coefficients_at_48_khz_equal_those_of_bs_1770() -> None:
    assert shelf(48000) == pytest.approx(
        (1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585), abs=1e-9
    )
    assert high_pass(48000) == pytest.approx((1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621), abs=1e-9)


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 48000, 192_000])
def test_filtering_by_rows_equals_the_recursion_sample_by_sample(rate_hz: int) -> None:
    sound = np.concatenate([noise(0.05, rate_hz), noise(0.05, rate_hz, level=1e-5), noise(0.003, rate_hz)])
    sound = np.concatenate([sound, -0.5 * sound[::-1]], axis=1)
    weighting = KWeighting(rate_hz, 2)
    pieces = [weighting.filter(piece) for piece in np.array_split(sound.astype(np.float32), 7)]
    for channel in range(2):
        slow = sample_by_sample(high_pass(rate_hz), sample_by_sample(shelf(rate_hz), sound[:, channel]))
        np.testing.assert_allclose(np.concatenate(pieces)[:, channel], slow, atol=1e-6)


def test_the_output_becomes_zero_in_digital_silence() -> None:
    weighting = KWeighting(16000, 1)
    weighting.filter(noise(1).astype(np.float32))
    weighting.filter(np.zeros((32000, 1), dtype=np.float32))
    assert not weighting.filter(np.zeros((100, 1), dtype=np.float32)).any()
