"""Loudness test cases of the EBU: Tech 3341 table 1 cases 1 to 6, Tech 3342 table 1 cases 1 to 4."""

from pathlib import Path

import numpy as np
import pytest

from recall_pipeline.audio import inspect
from recall_pipeline.audio.loudness import Framer, LoudnessMeter, integrated_lufs
from recall_pipeline_tests.audio.sounds import Sound, reference_lufs, speech, tone, tones, write_wav

FIVE_CHANNELS = np.concatenate([tone(level, 20, channels=1) for level in (-28, -28, -24, -30, -30)], axis=1)


@pytest.mark.parametrize(
    ("sound", "lufs"),
    [
        pytest.param(tones((-23, 20)), -23, id="1"),
        pytest.param(tones((-33, 20)), -33, id="2"),
        pytest.param(tones((-36, 10), (-23, 60), (-36, 10)), -23, id="3"),
        pytest.param(tones((-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)), -23, id="4"),
        pytest.param(tones((-26, 20), (-20, 20.1), (-26, 20)), -23, id="5"),
        pytest.param(FIVE_CHANNELS, -23, id="6"),
    ],
)
def test_integrated_loudness_meets_tech_3341(sound: Sound, lufs: float, tmp_path: Path) -> None:
    found = inspect(write_wav(tmp_path / "case.wav", sound))
    assert found.loudness_lufs == pytest.approx(lufs, abs=0.1)


@pytest.mark.parametrize(
    ("sound", "loudness_range_lu"),
    [
        pytest.param(tones((-20, 20), (-30, 20)), 10, id="1"),
        pytest.param(tones((-20, 20), (-15, 20)), 5, id="2"),
        pytest.param(tones((-40, 20), (-20, 20)), 20, id="3"),
        pytest.param(tones((-50, 20), (-35, 20), (-20, 20), (-35, 20), (-50, 20)), 15, id="4"),
    ],
)
def test_loudness_range_meets_tech_3342(sound: Sound, loudness_range_lu: float, tmp_path: Path) -> None:
    found = inspect(write_wav(tmp_path / "case.wav", sound))
    assert found.loudness_range_lu == pytest.approx(loudness_range_lu, abs=1)


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 44100, 48000])
def test_loudness_of_speech_agrees_with_libavfilter_within_a_tenth(rate_hz: int, tmp_path: Path) -> None:
    sound = speech(["greeting", "numbers", "question", "risk"], rate_hz)
    found = inspect(write_wav(tmp_path / "speech.wav", sound, rate_hz))
    assert found.loudness_lufs == pytest.approx(reference_lufs(sound, rate_hz), abs=0.1)


def test_loudness_does_not_depend_on_the_size_of_blocks() -> None:
    sound = speech(["answer", "farewell"]).astype(np.float32)
    whole, pieces = LoudnessMeter(16000, (1.0,)), LoudnessMeter(16000, (1.0,))
    whole.feed(sound)
    for piece in np.array_split(sound, 97):
        pieces.feed(piece)
    np.testing.assert_allclose(pieces.hop_energies, whole.hop_energies, rtol=1e-6, atol=1e-20)  # single precision


def test_audio_below_the_absolute_gate_has_no_loudness() -> None:
    assert integrated_lufs(np.full(100, 1e-9)) is None


def test_audio_shorter_than_a_gating_block_has_no_loudness() -> None:
    assert integrated_lufs(np.full(3, 0.1)) is None


def test_groups_span_block_boundaries() -> None:
    framer = Framer(4)
    rows = np.arange(10.0)[:, None]
    groups = np.concatenate([framer.feed(part) for part in np.split(rows, [3, 4, 9])])
    np.testing.assert_array_equal(groups[:, :, 0], [[0, 1, 2, 3], [4, 5, 6, 7]])
