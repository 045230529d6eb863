"""True peak test cases of the EBU (Tech 3341 table 1 cases 15 to 23), and comparisons with other meters."""

import numpy as np
import pytest
import soxr

from recall_pipeline.audio.true_peak import (
    HALF_WIDTH_SAMPLES,
    ROW_SAMPLES,
    STRETCH_SAMPLES,
    Interpolator,
    TruePeakMeter,
    to_db,
)
from recall_pipeline_tests.audio.sounds import Sound, noise, reference_true_peak_db, speech


def measured_db(sound: Sound, pieces: int = 1) -> float:
    meter = TruePeakMeter(sound.shape[1])
    for piece in np.array_split(sound.astype(np.float32), pieces):
        meter.feed(piece)
    peak_db = to_db(meter.peak())
    assert peak_db is not None
    return peak_db


def sine(divisor: float, amplitude: float, phase_degrees: float) -> Sound:
    """Return a stereo sine at a fraction of the sample rate, faded over 10 ms."""
    wave = amplitude * np.sin(2 * np.pi * np.arange(48000) / divisor + np.radians(phase_degrees))
    fade = np.minimum(1, np.arange(48000) / 480)
    return np.repeat((wave * fade * fade[::-1])[:, None], 2, axis=1)


def burst(offset: int) -> Sound:
    """Return fs/6 at 0.50 with one period of fs/4 at 1.00, made at four times the rate, then decimated."""
    slow = 0.5 * np.sin(2 * np.pi * np.arange(24 * 1000) / 24)
    loud = np.sin(2 * np.pi * np.arange(16) / 16)
    dense = np.concatenate([slow, loud, slow])
    fade = np.minimum(1, np.arange(dense.size) / 1920)
    clean = soxr.resample(soxr.resample(dense * fade * fade[::-1], 4, 1, quality="VHQ"), 1, 4, quality="VHQ")
    return np.repeat(clean[offset::4][:, None], 2, axis=1)


@pytest.mark.parametrize(
    ("sound", "true_peak_db"),
    [
        pytest.param(sine(4, 0.50, 0.0), -6, id="15"),
        pytest.param(sine(4, 0.50, 45.0), -6, id="16"),
        pytest.param(sine(6, 0.50, 60.0), -6, id="17"),
        pytest.param(sine(8, 0.50, 67.5), -6, id="18"),
        pytest.param(sine(4, 1.41, 45.0), 3, id="19"),
        pytest.param(burst(0), 0, id="20"),
        pytest.param(burst(1), 0, id="21"),
        pytest.param(burst(2), 0, id="22"),
        pytest.param(burst(3), 0, id="23"),
    ],
)
def test_true_peak_meets_tech_3341(sound: Sound, true_peak_db: float) -> None:
    assert true_peak_db - 0.4 <= measured_db(sound) <= true_peak_db + 0.2


def exhaustive_db(sound: Sound) -> float:
    """Return the true peak of one channel by the meter's own interpolator, applied everywhere."""
    wave = np.pad(sound[:, 0], HALF_WIDTH_SAMPLES).astype(np.float32)
    wave = np.pad(wave, (0, -(wave.size - 2 * HALF_WIDTH_SAMPLES) % ROW_SAMPLES))
    grid = Interpolator([eighth / 8 for eighth in range(8)], HALF_WIDTH_SAMPLES)
    peak_db = to_db(
        float(grid.magnitudes(wave, np.arange((wave.size - 2 * HALF_WIDTH_SAMPLES) // STRETCH_SAMPLES)).max())
    )
    assert peak_db is not None
    return peak_db


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(speech(["decision", "risk"], 48000), id="speech"),
        pytest.param(np.tanh(9 * speech(["answer", "numbers"])), id="compressed speech"),
        pytest.param(noise(1), id="noise"),
        pytest.param(np.cumsum(noise(1, level=1e-3), axis=0), id="rumble"),
        pytest.param(np.sign(noise(1)), id="full-scale bits"),
        pytest.param(np.repeat([[1.0], [-1.0]], 500, axis=0)[:700], id="one step"),
    ],
)
def test_skipped_stretches_never_contain_the_peak(sound: Sound) -> None:
    assert measured_db(sound, pieces=5) == pytest.approx(exhaustive_db(sound), abs=1e-4)


@pytest.mark.parametrize("gain_db", [-30, 0, 15])
def test_the_peak_of_speech_agrees_with_another_meter(gain_db: float) -> None:
    sound = speech(["decision", "roadmap", "answer"], gain_db=gain_db)
    assert measured_db(sound, pieces=7) == pytest.approx(reference_true_peak_db(sound), abs=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_noise_up_to_the_nyquist_frequency_is_not_underestimated(seed: int) -> None:
    sound = noise(2, seed=seed)
    assert measured_db(sound, pieces=3) > reference_true_peak_db(sound) - 0.1


def test_a_peak_in_the_first_or_last_sample_is_found() -> None:
    silence = np.zeros((1000, 1))
    for at in (0, -1):
        sound = silence.copy()
        sound[at] = 0.5
        assert measured_db(sound) == pytest.approx(-6.02, abs=0.05)


def test_the_peak_is_the_highest_of_all_channels() -> None:
    sound = np.concatenate([noise(1, level=0.01), speech(["risk"])[:16000]], axis=1)
    assert measured_db(sound) == measured_db(sound[:, 1:])


def test_digital_silence_has_no_true_peak() -> None:
    meter = TruePeakMeter(1)
    meter.feed(np.zeros((5000, 1), dtype=np.float32))
    assert to_db(meter.peak()) is None
