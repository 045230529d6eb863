"""Recordings for benchmarks, made from the sandbox's clips. Reproducible to the byte."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import lameenc
import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from recall_sandbox.speech import clip_transcripts

RATE_HZ = 48000
_PIECE_SECONDS = 300
_SATURATION_GAIN = 6.0

Sound = npt.NDArray[np.float64]


def make_recording(folder: Path, name: str, seconds: int, channels: int = 1) -> Path:
    """Write an MP3 of `seconds` (48 kHz, 96 kb/s per channel), which repeats a piece of five minutes.

    "uneven" is speech with sentences up to 9 dB apart and 20 dB too quiet: it needs a limiter. "even" is
    speech compressed by a conference client's gain control: it does not need one.
    """
    piece = _piece(name, channels)
    path = folder / f"{name}-{seconds}s-{channels}ch.mp3"
    with path.open("wb") as file:
        for _ in range(seconds // _PIECE_SECONDS):
            file.write(piece)
    return path


def _piece(name: str, channels: int) -> bytes:
    sound = np.concatenate(list(_sentences(name)))[: _PIECE_SECONDS * RATE_HZ]
    pcm = np.rint(np.clip(sound, -1, 1) * 32767).astype("<i2")
    if channels == 2:
        pcm = np.stack([pcm, np.roll(pcm, RATE_HZ) // 3], axis=1)
    encoder = lameenc.Encoder()
    encoder.set_in_sample_rate(RATE_HZ)
    encoder.set_out_sample_rate(RATE_HZ)
    encoder.set_channels(channels)
    encoder.set_bit_rate(96 * channels)
    encoder.set_quality(7)
    encoder.silence()
    return bytes(encoder.encode(pcm.tobytes())) + bytes(encoder.flush())


def _sentences(name: str) -> Iterator[Sound]:
    rng = np.random.default_rng(1)
    clips = [_clip(clip) for clip in clip_transcripts()]
    seconds = 0.0
    while seconds < _PIECE_SECONDS:
        clip = clips[rng.integers(len(clips))]
        level = 10 ** ((rng.uniform(-9, 0) - 20) / 20)
        sentence = 0.2 * np.tanh(_SATURATION_GAIN * clip) if name == "even" else level * clip
        yield np.concatenate([sentence, np.zeros(round(rng.uniform(0.1, 1.5) * RATE_HZ))])
        seconds += len(sentence) / RATE_HZ


def _clip(name: str) -> Sound:
    samples, rate_hz = soundfile.read(str(files("recall_sandbox") / "clips" / f"{name}.flac"))
    return np.asarray(soxr.resample(samples, rate_hz, RATE_HZ))
