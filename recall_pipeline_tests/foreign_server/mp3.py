"""A short MP3 of a tone, made with PyAV."""

import io
from fractions import Fraction

import av
import numpy as np

_RATE = 16_000


def tone_mp3(frequency: int, seconds: int = 3) -> bytes:
    """Return a mono MP3 of a tone; each frequency in Hz gives other bytes."""
    time = np.arange(_RATE * seconds) / _RATE
    samples = (8_000 * np.sin(2 * np.pi * frequency * time)).astype(np.int16)
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as container:
        stream = container.add_stream("mp3", rate=_RATE)
        stream.codec_context.layout = "mono"
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis, :], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = _RATE, 0, Fraction(1, _RATE)
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return file.getvalue()
