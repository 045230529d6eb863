"""Files of every container that is read and that libav can write, three seconds each."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
import soundfile

from recall_pipeline_tests.audio import wild_bytes as wild
from recall_pipeline_tests.audio.sounds import speech

SECONDS = 3.0
LAYOUTS = {"vorbis": "stereo"}
BIT_RATES = {"wmav2": 64_000}


@dataclass(frozen=True)
class Kind:
    """A container, a codec, and how the file is written; without `is_seekable` no length can be written later."""

    container: str
    codec: str
    rate_hz: int = 48_000
    flags: str = ""
    is_seekable: bool = True

    def body(self) -> bytes:
        """Return a whole file."""
        out = io.BytesIO() if self.is_seekable else _Pipe()
        options = {"movflags": self.flags, "frag_duration": "1000000"} if self.flags else {}
        with av.open(out, "w", format=self.container, options=options) as container:
            layout = LAYOUTS.get(self.codec, "mono")
            stream = container.add_stream(self.codec, rate=self.rate_hz, layout=layout, options={"strict": "-2"})
            assert isinstance(stream, av.AudioStream)
            stream.bit_rate = BIT_RATES.get(self.codec, 128_000 if self.rate_hz > 8000 else 12_200)
            mono = speech(["risk"], self.rate_hz)[: round(SECONDS * self.rate_hz)].astype(np.float32).T
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(mono), "fltp", "mono")
            frame.sample_rate, frame.pts = self.rate_hz, 0
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return out.getvalue()


class _Pipe(io.RawIOBase):
    """Where written bytes cannot be corrected, as in a pipe."""

    def __init__(self) -> None:
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._written += data
        return len(data)

    def getvalue(self) -> bytes:
        return bytes(self._written)


STATING = (
    Kind("avi", "pcm_s16le"),
    Kind("avi", "libmp3lame"),
    Kind("flv", "aac"),
    Kind("flv", "libmp3lame", 44_100),
    Kind("asf", "wmav2", 44_100),
    Kind("wv", "wavpack"),
    Kind("tta", "tta"),
    Kind("au", "pcm_mulaw", 8000),
    Kind("wav", "libmp3lame"),
    Kind("wav", "adpcm_ms"),
    Kind("mp4", "aac", flags="empty_moov+default_base_moof"),
    Kind("webm", "vorbis"),
)
"""Kinds that state their length before the audio."""

SILENT = (
    Kind("ac3", "ac3"),
    Kind("eac3", "eac3"),
    Kind("amr", "libopencore_amrnb", 8000),
    Kind("adts", "aac"),
    Kind("latm", "aac"),
    Kind("mp2", "mp2"),
    Kind("mpegts", "aac"),
    Kind("mpegts", "ac3"),
    Kind("vob", "ac3"),
    Kind("ogg", "flac"),
    Kind("webm", "libopus", is_seekable=False),
    Kind("flv", "aac", is_seekable=False),
    Kind("avi", "pcm_s16le", is_seekable=False),
    Kind("flac", "flac", is_seekable=False),
)
"""Kinds that state no length."""

COMPRESSED = tuple(
    kind
    for kind in (*STATING, *SILENT)
    if kind.codec not in ("pcm_s16le", "pcm_mulaw", "adpcm_ms", "libopencore_amrnb", "tta")
)
"""Kinds in which zeros are not audio."""

LATE = (
    Kind("3gp", "libopencore_amrnb", 8000),
    Kind("ipod", "aac"),
    Kind("mp4", "aac", flags="hybrid_fragmented"),
    Kind("caf", "alac"),
)
"""Kinds of which half is not readable, because what describes the audio is at their end."""


def by_soundfile(container: str, subtype: str) -> Callable[[], bytes]:
    """Return how to make a file by a writer other than libav."""

    def make() -> bytes:
        out = io.BytesIO()
        soundfile.write(out, speech(["risk"])[: round(SECONDS * 16_000)], 16_000, subtype, format=container)
        return out.getvalue()

    return make


STATING_SAMPLES: dict[str, Callable[[], bytes]] = {
    f"{container} of {subtype}": by_soundfile(container, subtype)
    for container, subtype in (("RF64", "PCM_16"), ("W64", "FLOAT"), ("WAV", "ULAW"), ("CAF", "ALAC_16"))
}
"""Files that state a number of samples beside a number of bytes."""


def zeros_inside(body: bytes) -> bytes:
    """Return a file with a third of its bytes zero."""
    return wild.overwritten(body, 0.4, bytes(len(body) // 3))
