"""Silences within a file, and the share of the time with speech."""

from pathlib import Path

import numpy as np
import pytest

from recall_pipeline.audio import inspect
from recall_pipeline.audio.silence import silences, speech_ratio
from recall_pipeline_tests.audio.sounds import noise, speech, write_wav


def test_silences_are_found_with_their_times(tmp_path: Path) -> None:
    sound = np.concatenate([noise(3), noise(2, level=1e-4), noise(3), np.zeros((16000, 1)), noise(1)])
    found = inspect(write_wav(tmp_path / "a.wav", sound, 16000))
    np.testing.assert_allclose(found.silences, [(3, 5), (8, 9)], atol=0.11)
    assert found.speech_ratio == pytest.approx(0.7, abs=0.03)


def test_silences_do_not_depend_on_the_level(tmp_path: Path) -> None:
    sound = np.concatenate([speech(["risk", "answer"]), np.zeros((32000, 1)), speech(["risk"])])
    loud = inspect(write_wav(tmp_path / "a.wav", sound, 16000))
    quiet = inspect(write_wav(tmp_path / "b.wav", sound / 30, 16000))
    assert quiet.silences == loud.silences


def test_a_pause_under_half_a_second_is_not_a_silence() -> None:
    energies = np.full(50, 0.01)
    energies[20:24] = 0
    assert silences(energies) == ()
    assert speech_ratio(energies) == 1


def test_a_silent_file_is_one_silence() -> None:
    assert silences(np.zeros(100)) == ((0.0, 10.0),)
    assert speech_ratio(np.zeros(100)) == 0


def test_an_empty_file_has_no_speech() -> None:
    assert speech_ratio(np.empty(0)) == 0
