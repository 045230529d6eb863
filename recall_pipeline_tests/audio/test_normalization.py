"""The guarantees of `normalize`, measured with independent meters."""

import hashlib
import itertools
import stat
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from recall_pipeline.audio import Normalized, Target, normalize
from recall_pipeline.audio_formats import AudioFormat
from recall_pipeline.errors import NormalizationError, NotAudio
from recall_pipeline_tests.audio.sounds import (
    Sound,
    decoded,
    noise,
    reference_lufs,
    reference_true_peak_db,
    speech,
    tone,
    write_mp3,
    write_wav,
)

MEETING = ("greeting", "question", "answer")
SHAPES: dict[str, Callable[[Sound], Sound]] = {
    "mono": lambda mono: mono,
    "stereo": lambda mono: np.concatenate([mono, 0.3 * np.roll(mono, 4000)], axis=1),
    "one dead channel": lambda mono: np.concatenate([mono, np.zeros_like(mono)], axis=1),
}


def assert_guarantees(result: Normalized, path: Path, target: Target) -> None:
    """Assert the guarantees for a file: loudness, ceiling, length, and a result that matches the file."""
    sound, rate_hz = decoded(path)
    lufs, true_peak_db = reference_lufs(sound, rate_hz), reference_true_peak_db(sound)
    assert lufs == pytest.approx(target.loudness_lufs, abs=0.3 if target.is_lossless else 0.5)
    assert true_peak_db <= target.true_peak_dbtp
    assert result.audio_lufs == pytest.approx(lufs, abs=0.05)
    assert result.audio_true_peak_dbtp == pytest.approx(true_peak_db, abs=0.1)
    assert result.audio_samples == len(sound) * target.sample_rate_hz // rate_hz
    assert result.findings == ()


@pytest.mark.parametrize(
    ("rate_hz", "shape", "gain_db"),
    list(itertools.product([8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000], SHAPES, [-38, 0])),
)
def test_meetings_of_any_rate_channels_and_level_reach_the_target_under_the_ceiling(
    rate_hz: int, shape: str, gain_db: float, tmp_path: Path
) -> None:
    sound = SHAPES[shape](speech(MEETING, rate_hz, gain_db))
    source = write_mp3(tmp_path / "meeting.mp3", sound, rate_hz)
    result = normalize(source, tmp_path / "meeting.flac", Target())
    assert_guarantees(result, tmp_path / "meeting.flac", Target())


@pytest.mark.parametrize(
    ("audio_format", "rate_hz", "channels", "gain_db"),
    list(itertools.product(get_args(AudioFormat), [16000, 48000], [1, 2], [-30, 0])),
)
def test_every_format_rate_and_channel_count_meets_the_guarantees(
    audio_format: AudioFormat, rate_hz: int, channels: int, gain_db: float, tmp_path: Path
) -> None:
    target = Target(format=audio_format, sample_rate_hz=rate_hz, channels=channels)
    source = write_mp3(tmp_path / "meeting.mp3", SHAPES["stereo"](speech(MEETING, 24000, gain_db)), 24000)
    assert_guarantees(normalize(source, tmp_path / "out", target), tmp_path / "out", target)


@pytest.mark.parametrize("rate_hz", [8000, 22050, 44100])
def test_unusual_rates_meet_the_guarantees(rate_hz: int, tmp_path: Path) -> None:
    target = Target(format="mp3", sample_rate_hz=rate_hz)
    source = write_mp3(tmp_path / "meeting.mp3", speech(MEETING))
    assert_guarantees(normalize(source, tmp_path / "out", target), tmp_path / "out", target)


def test_without_limiting_the_output_is_the_source_times_the_gain(tmp_path: Path) -> None:
    sound = tone(-30, 3, 16000, channels=1) * np.linspace(0.5, 1, 48000)[:, None]
    source = write_wav(tmp_path / "in.wav", sound, 16000)
    result = normalize(source, tmp_path / "out.wav", Target(format="wav"))
    out, _ = decoded(tmp_path / "out.wav")
    assert result.limiter_depth_db == 0
    np.testing.assert_allclose(out, sound * 10 ** (result.gain_db / 20), atol=1.01 / 65536)


def test_audio_that_the_gain_raises_above_the_absolute_gate_is_considered(tmp_path: Path) -> None:
    sound = np.concatenate([tone(-52, 4, 8000, channels=1), tone(-70, 40, 8000, channels=1)])
    source = write_wav(tmp_path / "in.wav", sound, 8000)
    target = Target(sample_rate_hz=8000)
    assert_guarantees(normalize(source, tmp_path / "out.flac", target), tmp_path / "out.flac", target)


def test_the_limiter_does_not_change_audio_far_from_a_peak(tmp_path: Path) -> None:
    sound = tone(-20, 4, 16000, channels=1)
    sound[32000:32016] *= 9
    result = normalize(write_wav(tmp_path / "in.wav", sound, 16000), tmp_path / "out.wav", Target(format="wav"))
    out, _ = decoded(tmp_path / "out.wav")
    far = np.r_[:31000, 36000:64000]
    assert result.limiter_depth_db > 3
    np.testing.assert_allclose(out[far], sound[far] * 10 ** (result.gain_db / 20), atol=2 / 32768)


def test_the_length_equals_the_source_to_the_sample(tmp_path: Path) -> None:
    source = write_wav(tmp_path / "in.wav", noise(2.345678), 16000)
    result = normalize(source, tmp_path / "out.flac", Target())
    assert result.audio_samples == round(2.345678 * 16000)


def test_at_the_limiter_maximum_the_file_is_quieter_and_a_finding_states_it(tmp_path: Path) -> None:
    sound = speech(MEETING, gain_db=-30)
    sound[20000:20010] = 0.9
    target = Target(limiter_max_db=6)
    result = normalize(write_wav(tmp_path / "in.wav", sound, 16000), tmp_path / "out.flac", target)
    assert result.limiter_depth_db == pytest.approx(6)
    assert result.audio_lufs is not None
    assert result.audio_lufs < -20
    assert result.audio_true_peak_dbtp is not None
    assert result.audio_true_peak_dbtp <= -1.5
    assert "limited by more than 6 dB" in result.findings[0]


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(np.zeros((32000, 1)), id="digital silence"),
        pytest.param(noise(2, level=1e-5), id="near silence"),
        pytest.param(noise(0.3), id="under 0.4 s"),
        pytest.param(noise(1 / 16000), id="one sample"),
    ],
)
def test_audio_without_loudness_gets_no_gain_and_a_finding(sound: Sound, tmp_path: Path) -> None:
    result = normalize(write_wav(tmp_path / "in.wav", sound, 16000), tmp_path / "out.flac", Target())
    assert result.is_silent
    assert result.gain_db == 0
    assert result.audio_lufs is None
    assert "no loudness" in result.findings[0]
    assert result.audio_samples == len(sound)


def test_a_short_loud_sound_is_reduced_below_the_ceiling(tmp_path: Path) -> None:
    result = normalize(
        write_wav(tmp_path / "in.wav", tone(0, 0.2, 16000, channels=1), 16000), tmp_path / "out.flac", Target()
    )
    assert result.audio_true_peak_dbtp is not None
    assert -2 < result.audio_true_peak_dbtp <= -1.5


def test_channels_that_cancel_each_other_out_are_not_silent(tmp_path: Path) -> None:
    mono = speech(MEETING)
    source = write_wav(tmp_path / "in.wav", np.concatenate([mono, -mono], axis=1), 16000)
    result = normalize(source, tmp_path / "out.flac", Target())
    assert not result.is_silent
    assert "cancel each other out" in result.findings[0]
    assert result.audio_lufs == pytest.approx(-16, abs=0.3)


def test_a_failing_encoder_raises_normalization_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(*_: object) -> None:
        raise soundfile.LibsndfileError(2, "no space left: ")

    source = write_wav(tmp_path / "in.wav", speech(["risk"]), 16000)
    monkeypatch.setattr(soundfile.SoundFile, "write", write)
    with pytest.raises(NormalizationError, match=r"could not be written as flac: no space left"):
        normalize(source, tmp_path / "out.flac", Target())
    assert {path.name for path in tmp_path.iterdir()} == {"in.wav"}


def test_an_output_that_decodes_to_other_samples_raises_normalization_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(file: soundfile.SoundFile, frames: npt.NDArray[np.int16]) -> None:
        good(file, frames ^ 1)

    good = soundfile.SoundFile.write
    monkeypatch.setattr(soundfile.SoundFile, "write", write)
    source = write_mp3(tmp_path / "in.mp3", speech(["risk"]))
    with pytest.raises(NormalizationError, match="does not decode to the"):
        normalize(source, tmp_path / "out.flac", Target())


def test_size_and_sha256_in_the_result_are_those_of_the_file(tmp_path: Path) -> None:
    result = normalize(write_mp3(tmp_path / "in.mp3", speech(["risk"])), tmp_path / "out.flac", Target())
    written = (tmp_path / "out.flac").read_bytes()
    assert result.audio_sha256 == hashlib.sha256(written).hexdigest()
    assert result.audio_bytes == len(written)


@pytest.mark.parametrize("audio_format", get_args(AudioFormat))
def test_the_same_source_gives_the_same_bytes(audio_format: AudioFormat, tmp_path: Path) -> None:
    source = write_mp3(tmp_path / "in.mp3", speech(["risk"]))
    runs = [normalize(source, tmp_path / f"{run}", Target(format=audio_format)) for run in range(2)]
    assert runs[0].audio_sha256 == runs[1].audio_sha256


def test_source_loudness_is_measured_over_the_source_channels(tmp_path: Path) -> None:
    sound = SHAPES["stereo"](speech(MEETING, 48000))
    result = normalize(write_wav(tmp_path / "in.wav", sound), tmp_path / "out.flac", Target())
    assert result.source_lufs == pytest.approx(reference_lufs(sound, 48000), abs=0.15)
    assert result.source_true_peak_dbtp == pytest.approx(reference_true_peak_db(sound), abs=0.1)


def test_the_output_is_private_and_the_source_unchanged(tmp_path: Path) -> None:
    source = write_mp3(tmp_path / "in.mp3", speech(["risk"]))
    before = source.read_bytes()
    normalize(source, tmp_path / "out.flac", Target())
    assert source.read_bytes() == before
    assert stat.S_IMODE((tmp_path / "out.flac").stat().st_mode) == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"in.mp3", "out.flac"}


def test_a_failure_keeps_the_previous_output_and_leaves_no_other_file(tmp_path: Path) -> None:
    source, destination = tmp_path / "in.mp3", tmp_path / "out.flac"
    source.write_bytes(b"<html>gone</html>")
    destination.write_bytes(b"older")
    with pytest.raises(NotAudio, match="an HTML page"):
        normalize(source, destination, Target())
    assert destination.read_bytes() == b"older"
    assert {path.name for path in tmp_path.iterdir()} == {"in.mp3", "out.flac"}


def test_the_true_peak_of_near_silence_is_not_below_its_samples(tmp_path: Path) -> None:
    source = write_wav(tmp_path / "in.wav", noise(2, level=8e-6), 16000)
    result = normalize(source, tmp_path / "out.wav", Target(format="wav"))
    out, _ = decoded(tmp_path / "out.wav")
    assert result.audio_true_peak_dbtp is not None
    assert result.audio_true_peak_dbtp >= 20 * np.log10(np.abs(out).max())
