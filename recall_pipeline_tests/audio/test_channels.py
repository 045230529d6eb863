"""Mixing and resampling from any layout and sample rate to the requested one."""

import numpy as np
import pytest

from recall_pipeline.audio.channels import averaging_matrix, loudness_weights
from recall_pipeline.audio.decoder import Block, Samples
from recall_pipeline.audio.resample import resample_blocks
from recall_pipeline_tests.audio.sounds import tone


def block(rate_hz: int, layout: tuple[str, ...], seconds: float = 1.0) -> Block:
    samples: Samples = tone(-6, seconds, rate_hz, 440, len(layout)).astype(np.float32)
    return Block(samples, rate_hz, layout)


def test_mono_is_the_mean_of_all_channels_except_lfe() -> None:
    matrix = averaging_matrix(("FL", "FR", "FC", "LFE", "SL", "SR"), 1)
    assert matrix is not None
    np.testing.assert_allclose(matrix[:, 0], [0.2, 0.2, 0.2, 0, 0.2, 0.2])


def test_stereo_keeps_left_and_right_separate() -> None:
    matrix = averaging_matrix(("FL", "FR", "FC"), 2)
    assert matrix is not None
    np.testing.assert_allclose(matrix, [[0.5, 0], [0, 0.5], [0.5, 0.5]])


def test_mono_is_copied_to_both_channels_of_stereo() -> None:
    np.testing.assert_array_equal(averaging_matrix(("FC",), 2), [[1, 1]])


def test_a_layout_with_the_requested_channels_is_not_mixed() -> None:
    assert averaging_matrix(("FL", "FR"), 2) is None


def test_surround_channels_weigh_1_41_and_lfe_weighs_0() -> None:
    assert loudness_weights(("FL", "FR", "FC", "LFE", "SL", "BR")) == (1, 1, 1, 0, 1.41, 1.41)


@pytest.mark.parametrize("to_hz", [8000, 16000, 22050, 44100, 48000])
def test_changes_of_rate_and_channels_give_one_continuous_signal(to_hz: int) -> None:
    blocks = [block(16000, ("FC",)), block(48000, ("FC",)), block(44100, ("FL", "FR")), block(8000, ("FC",))]
    out = np.concatenate(list(resample_blocks(blocks, to_hz, ("FC",))))
    assert out.shape == (4 * to_hz, 1)
    assert np.abs(out).max() == pytest.approx(0.5, abs=0.06)


def test_audio_at_the_requested_rate_is_not_resampled() -> None:
    only = block(16000, ("FC",))
    (first, rest) = resample_blocks([only], 16000, ("FC",))
    assert first is only.samples
    assert not len(rest)
