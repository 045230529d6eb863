"""Windows for transcription: every sample in one window, cuts in pauses."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from recall_pipeline.audio import Segment, segments
from recall_pipeline.errors import NotAudio
from recall_pipeline_tests.audio.sounds import Sound, noise, speech, write_wav

CLIPS = ("greeting", "question", "answer", "numbers", "roadmap", "risk", "decision", "farewell")


def pcm(parts: list[Segment]) -> npt.NDArray[np.int16]:
    return np.frombuffer(b"".join(part.pcm for part in parts), "<i2")


def talk(*lengths: float) -> Sound:
    """Return noise of the given lengths in seconds, a third of a second apart."""
    pause = np.zeros((round(16000 / 3), 1))
    return np.concatenate([np.concatenate([noise(length), pause]) for length in lengths])


@pytest.mark.parametrize("max_seconds", [3.0, 10.0, 30.0, 1000.0])
def test_windows_contain_every_sample_in_order_and_respect_the_maximum_length(
    max_seconds: float, tmp_path: Path
) -> None:
    sound = speech(CLIPS)
    parts = list(segments(write_wav(tmp_path / "a.wav", sound, 16000, "PCM_16"), max_seconds))
    assert all(part.end_seconds - part.start_seconds <= max_seconds for part in parts)
    assert all(a.end_seconds == b.start_seconds for a, b in pairwise(parts))
    assert (parts[0].start_seconds, parts[-1].end_seconds) == (0, len(sound) / 16000)
    np.testing.assert_allclose(pcm(parts), np.rint(sound[:, 0] * 32767), atol=1)


def test_windows_end_in_pauses(tmp_path: Path) -> None:
    sound = talk(1.0, 1.4, 0.8, 1.7, 1.1, 0.9, 1.3, 1.6, 1.2)
    parts = list(segments(write_wav(tmp_path / "a.wav", sound, 16000), 4.0))
    assert len(parts) > 2
    for part in parts[:-1]:
        around = round(part.end_seconds * 16000)
        assert np.abs(sound[around - 800 : around + 800]).max() == 0


def test_a_pause_in_the_first_half_is_used_if_there_is_no_later_one(tmp_path: Path) -> None:
    parts = segments(write_wav(tmp_path / "a.wav", talk(1.0, 9.0), 16000), 6.0)
    assert next(parts).end_seconds == pytest.approx(1.17, abs=0.1)


def test_without_a_pause_the_cut_is_at_the_quietest_moment(tmp_path: Path) -> None:
    sound = noise(10)
    sound[64000:65600] *= 0.2  # too loud and too short for a pause
    parts = segments(write_wav(tmp_path / "a.wav", sound, 16000), 5.0)
    assert next(parts).end_seconds == pytest.approx(4.05, abs=0.06)


def test_a_window_converts_to_an_audio_segment_of_pydub(tmp_path: Path) -> None:
    (part,) = segments(write_wav(tmp_path / "a.wav", np.repeat(noise(1.5), 2, axis=1), 16000))
    audio = part.to_audio_segment()
    assert (audio.frame_rate, audio.channels, audio.sample_width) == (16000, 2, 2)
    assert len(audio) == 1500
    assert audio.raw_data == part.pcm


def test_a_silent_file_is_split_too(tmp_path: Path) -> None:
    parts = list(segments(write_wav(tmp_path / "a.wav", np.zeros((160000, 1)), 16000), 3.0))
    assert parts[-1].end_seconds == 10
    assert len(parts) < 12


def test_files_without_audio_and_windows_under_a_second_are_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_text("no")
    with pytest.raises(NotAudio):
        next(segments(tmp_path / "a.mp3"))
    with pytest.raises(ValueError, match="use 1 or more"):
        next(segments(tmp_path / "a.mp3", 0.5))
