"""Sounds with known properties, files of them, and reference meters that are independent of the product."""

from collections.abc import Sequence
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import av
import av.filter
import lameenc
import numpy as np
import numpy.typing as npt
import soundfile
import soxr

Sound = npt.NDArray[np.float64]
"""Shape (frames, channels), full scale at 1.0."""


def tone(level_db: float, seconds: float, rate_hz: int = 48000, hz: float = 1000.0, channels: int = 2) -> Sound:
    """Return a sine with its peak at `level_db`, shape (frames, channels)."""
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.repeat((10 ** (level_db / 20) * np.sin(2 * np.pi * hz * at))[:, None], channels, axis=1)


def tones(*parts: tuple[float, float]) -> Sound:
    """Return consecutive stereo tones of (level in dB, seconds)."""
    return np.concatenate([tone(level_db, seconds) for level_db, seconds in parts])


def noise(seconds: float, rate_hz: int = 16000, level: float = 0.1, seed: int = 1) -> Sound:
    """Return white noise in one channel."""
    return np.random.default_rng(seed).normal(0, level, (round(seconds * rate_hz), 1))


def speech(clips: Sequence[str], rate_hz: int = 16000, gain_db: float = 0.0) -> Sound:
    """Return the sandbox's clips half a second apart, in one channel, clipped at full scale."""
    parts = []
    for name in clips:
        samples, clip_hz = soundfile.read(str(files("recall_sandbox") / "clips" / f"{name}.flac"))
        parts += [np.zeros(rate_hz // 2), soxr.resample(samples, clip_hz, rate_hz)]
    return np.clip(np.concatenate([*parts, np.zeros(rate_hz // 2)]) * 10 ** (gain_db / 20), -1, 1)[:, None]


def write_wav(path: Path, sound: Sound, rate_hz: int = 48000, subtype: str = "FLOAT") -> Path:
    """Write a WAV file under any name."""
    soundfile.write(path, sound, rate_hz, subtype, format="WAV")
    return path


def mp3_bytes(sound: Sound, rate_hz: int = 16000, kbps: int = 64) -> bytes:
    """Return an MP3 without a header that states its duration."""
    encoder = lameenc.Encoder()
    encoder.set_in_sample_rate(rate_hz)
    encoder.set_out_sample_rate(rate_hz)
    encoder.set_channels(sound.shape[1])
    encoder.set_bit_rate(kbps)
    encoder.silence()
    pcm = np.rint(sound * 32767).astype("<i2")
    return bytes(encoder.encode(pcm.tobytes())) + bytes(encoder.flush())


def write_mp3(path: Path, sound: Sound, rate_hz: int = 16000, kbps: int = 64) -> Path:
    """Write the result of `mp3_bytes` to a file."""
    path.write_bytes(mp3_bytes(sound, rate_hz, kbps))
    return path


def decoded(path: Path) -> tuple[Sound, int]:
    """Decode a whole file by libav; return it and its sample rate."""
    with av.open(str(path), metadata_errors="replace") as container:
        resampler = av.AudioResampler(format="flt")
        chunks = [
            resampled.to_ndarray().reshape(-1, resampled.layout.nb_channels)
            for frame in container.decode(audio=0)
            for resampled in resampler.resample(frame)
        ]
        return np.concatenate(chunks).astype(np.float64), container.streams.audio[0].rate


def reference_lufs(sound: Sound, rate_hz: int) -> float:
    """Return the integrated loudness by libavfilter's ebur128."""
    layout = "mono" if sound.shape[1] == 1 else "stereo"
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=rate_hz, format="flt", layout=layout, time_base=Fraction(1, rate_hz))
    sink = graph.add("abuffersink")
    graph.link_nodes(source, graph.add("ebur128", "metadata=1"), sink).configure()
    for start in range(0, len(sound), rate_hz // 10):
        part = sound[start : start + rate_hz // 10].astype(np.float32).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(part, format="flt", layout=layout)
        frame.sample_rate, frame.pts = rate_hz, start
        source.push(frame)
    source.push(None)
    lufs = float("-inf")
    while True:
        try:
            lufs = float(sink.pull().metadata.get("lavfi.r128.I", lufs))
        except EOFError:
            return lufs


def reference_true_peak_db(sound: Sound) -> float:
    """Return the true peak by soxr's best resampler at sixteen times the rate."""
    dense = soxr.resample(np.pad(sound, ((4096, 4096), (0, 0))), 1, 16, quality="VHQ")
    return 20 * float(np.log10(np.abs(dense).max()))
