"""Encode 16-bit samples as FLAC, WAV, Ogg Opus or MP3, at their own sample rate."""

from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
import lameenc
import numpy as np
import numpy.typing as npt
import soundfile

from recall_pipeline.audio.mp3_info import info_frame
from recall_pipeline.audio.target import Target

Int16Frames = npt.NDArray[np.int16]
"""Shape (frames, channels)."""

FULL_SCALE = 32768.0

_MP3_KBPS_BY_RATE_HZ = {8000: 24, 12000: 32, 16000: 48, 22050: 56, 24000: 64, 32000: 80, 44100: 96, 48000: 96}
_OPUS_BPS_PER_CHANNEL = 32_000
_OPUS_OPTIONS = {"compression_level": "5", "application": "audio"}  # 10 takes three times as long
_REPRODUCIBLE = {"fflags": "bitexact"}  # without it, Ogg uses a random serial number
_MP3_QUALITY = 7  # a third of the time of 2, without an audible difference on speech
_LAME_SCALE = 0.95  # LAME multiplies its input by this


class Encoder(Protocol):
    """Encodes samples into a file until it is closed."""

    input_gain: float
    """Factor for the input that compensates for a gain of the encoder."""

    def write(self, frames: Int16Frames) -> None:
        """Encode samples, shape (frames, channels)."""

    def close(self) -> None:
        """Flush the encoder, complete the header and close the file. Safe to call twice."""


def open_encoder(path: Path, target: Target) -> Encoder:
    """Return an encoder for the target's format that writes to `path`."""
    if target.format == "mp3":
        return _Mp3(path, target)
    return _Opus(path, target) if target.format == "opus" else _SoundFile(path, target)


class _SoundFile:
    """FLAC and WAV by libsndfile, the fastest FLAC encoder that is available as a wheel."""

    input_gain = 1.0

    def __init__(self, path: Path, target: Target) -> None:
        self._file = soundfile.SoundFile(
            path, "w", target.sample_rate_hz, target.channels, "PCM_16", format=target.format
        )

    def write(self, frames: Int16Frames) -> None:
        self._file.write(frames)

    def close(self) -> None:
        self._file.close()


class _Mp3:
    """MP3 by LAME, with an Info frame, so that gapless decoders return the exact length."""

    input_gain = 1 / _LAME_SCALE

    def __init__(self, path: Path, target: Target) -> None:
        self._file = path.open("wb")
        self._samples = 0
        self._kbps = _MP3_KBPS_BY_RATE_HZ[target.sample_rate_hz] * (3 * target.channels - 1) // 2
        self._encoder = lameenc.Encoder()
        self._encoder.set_in_sample_rate(target.sample_rate_hz)
        self._encoder.set_out_sample_rate(target.sample_rate_hz)  # otherwise LAME selects one
        self._encoder.set_channels(target.channels)
        self._encoder.set_bit_rate(self._kbps)
        self._encoder.set_quality(_MP3_QUALITY)
        self._encoder.silence()
        self._info_frame = b""

    def write(self, frames: Int16Frames) -> None:
        self._samples += len(frames)
        self._write_bytes(bytes(self._encoder.encode(frames.tobytes())))

    def close(self) -> None:
        if self._file.closed:
            return
        self._write_bytes(bytes(self._encoder.flush()))
        audio_bytes = self._file.tell() - len(self._info_frame)
        self._file.seek(0)
        self._file.write(info_frame(self._info_frame, audio_bytes, self._samples))
        self._file.close()

    def _write_bytes(self, data: bytes) -> None:
        if data and not self._info_frame:
            self._info_frame = info_frame(data, 0, 0)
            self._file.write(self._info_frame)
        self._file.write(data)


class _Opus:
    """Opus by libopus through libav: three times as fast as libsndfile, and exact in length."""

    input_gain = 1.0

    def __init__(self, path: Path, target: Target) -> None:
        self._rate_hz = target.sample_rate_hz
        self._samples = 0
        self._container = av.open(str(path), "w", format="ogg", container_options=_REPRODUCIBLE)
        self._stream = self._container.add_stream("libopus", self._rate_hz, _OPUS_OPTIONS)
        self._stream.format = "s16"
        self._stream.layout = self._layout = "mono" if target.channels == 1 else "stereo"
        self._stream.bit_rate = _OPUS_BPS_PER_CHANNEL * target.channels

    def write(self, frames: Int16Frames) -> None:
        frame = av.AudioFrame.from_ndarray(frames.reshape(1, -1), "s16", self._layout)
        frame.sample_rate, frame.time_base = self._rate_hz, Fraction(1, self._rate_hz)
        frame.pts = self._samples
        self._samples += len(frames)
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()
