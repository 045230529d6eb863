"""Write 16 bit samples as FLAC, WAV, Ogg Opus or MP3, at the rate they have."""

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

Frames16 = npt.NDArray[np.int16]
"""Shape (frames, channels)."""

FULL_SCALE = 32768.0

_MP3_KBPS = {8000: 24, 12000: 32, 16000: 48, 22050: 56, 24000: 64, 32000: 80, 44100: 96, 48000: 96}
_OPUS_BPS = 32_000  # a channel
_OPUS = {"compression_level": "5", "application": "audio"}  # 10 takes three times as long
_SAME_BYTES = {"fflags": "bitexact"}  # else Ogg draws a serial number by lot
_MP3_QUALITY = 7  # a third of the time of 2, and speech does not tell
LAME_SCALE = 0.95  # what LAME multiplies its input with


class Encoder(Protocol):
    """Takes samples until it is closed."""

    gain: float
    """What its input is multiplied with, so that its output has the level that was meant."""

    def write(self, frames: Frames16) -> None:
        """Encode (frames, channels)."""

    def close(self) -> None:
        """Write what is left and what the header could not know before."""


def open_encoder(path: Path, target: Target) -> Encoder:
    """Give an encoder of the target's format that writes to `path`."""
    if target.format == "mp3":
        return _Mp3(path, target)
    return _Opus(path, target) if target.format == "opus" else _SoundFile(path, target)


class _SoundFile:
    """libsndfile, the fastest FLAC writer that has wheels."""

    gain = 1.0

    def __init__(self, path: Path, target: Target) -> None:
        self._file = soundfile.SoundFile(
            path, "w", target.sample_rate_hz, target.channels, "PCM_16", format=target.format
        )

    def write(self, frames: Frames16) -> None:
        self._file.write(frames)

    def close(self) -> None:
        self._file.close()


class _Mp3:
    """LAME, with the Info frame that makes the length exact for every gapless decoder."""

    gain = 1 / LAME_SCALE

    def __init__(self, path: Path, target: Target) -> None:
        self._file = path.open("wb")
        self._samples = 0
        self._kbps = _MP3_KBPS[target.sample_rate_hz] * (3 * target.channels - 1) // 2
        self._encoder = lameenc.Encoder()
        self._encoder.set_in_sample_rate(target.sample_rate_hz)
        self._encoder.set_out_sample_rate(target.sample_rate_hz)  # else LAME picks one itself
        self._encoder.set_channels(target.channels)
        self._encoder.set_bit_rate(self._kbps)
        self._encoder.set_quality(_MP3_QUALITY)
        self._encoder.silence()
        self._head = b""

    def write(self, frames: Frames16) -> None:
        self._samples += len(frames)
        self._put(bytes(self._encoder.encode(frames.tobytes())))

    def close(self) -> None:
        if self._file.closed:
            return
        self._put(bytes(self._encoder.flush()))
        audio_bytes = self._file.tell() - len(self._head)
        self._file.seek(0)
        self._file.write(info_frame(self._head, audio_bytes, self._samples))
        self._file.close()

    def _put(self, data: bytes) -> None:
        if data and not self._head:
            self._head = info_frame(data, 0, 0)
            self._file.write(self._head)
        self._file.write(data)


class _Opus:
    """libopus by way of libav: three times faster than libsndfile's, and exact in length."""

    gain = 1.0

    def __init__(self, path: Path, target: Target) -> None:
        self._rate_hz = target.sample_rate_hz
        self._samples = 0
        self._container = av.open(str(path), "w", format="ogg", container_options=_SAME_BYTES)
        self._stream = self._container.add_stream("libopus", self._rate_hz, _OPUS)
        self._stream.format = "s16"
        self._stream.layout = self._layout = "mono" if target.channels == 1 else "stereo"
        self._stream.bit_rate = _OPUS_BPS * target.channels

    def write(self, frames: Frames16) -> None:
        frame = av.AudioFrame.from_ndarray(frames.reshape(1, -1), "s16", self._layout)
        frame.sample_rate, frame.time_base = self._rate_hz, Fraction(1, self._rate_hz)
        frame.pts = self._samples
        self._samples += len(frames)
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()
