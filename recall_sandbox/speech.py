"""Deterministic MP3s of a conversation, assembled from recorded clips."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files
from itertools import chain, cycle
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

CLIP_RATE_HZ = 16_000
_CLIPS = files("recall_sandbox") / "clips"


@cache
def clip_transcripts() -> dict[str, str]:
    """The sentence spoken in each clip, by clip name, in the order of the conversation."""
    entries = json.loads((_CLIPS / "transcripts.json").read_text(encoding="utf-8"))
    return {entry["clip"]: entry["text"] for entry in entries}


@dataclass(frozen=True)
class Speech:
    """An MP3 of speakers who take turns; without `clips` it is digital silence.

    `bitrate_kbps`: None for VBR. `gain_db`: applied to the clips, whose peaks are near -2 dBFS; samples above full
    scale are clipped. `has_length_header`: whether there is a Xing/Info frame.
    """

    seconds: float
    rate_hz: int = 16_000
    channels: int = 1
    bitrate_kbps: int | None = 48
    gain_db: float = 0.0
    clips: tuple[str, ...] = tuple(clip_transcripts())
    title: str | None = None
    has_length_header: bool = True

    @property
    def outcome(self) -> str:
        """The expected outcome of these bytes (docs/design/interface.md, section 4, rows 2 and 3)."""
        return "ready" if self.clips else "silent"

    @property
    def media_type(self) -> str:
        """The Content-Type of the answer."""
        return "audio/mpeg"

    def body(self) -> bytes:
        """Build the MP3 file; `content.body_of` caches it."""
        return _encode(self, _conversation(self))


@cache
def _clip(name: str) -> NDArray[np.float32]:
    with av.open(io.BytesIO((_CLIPS / f"{name}.flac").read_bytes()), "r") as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    samples: NDArray[np.float32] = np.concatenate(frames, axis=1)[0].astype(np.float32) / 32_768
    return samples


def _conversation(speech: Speech) -> NDArray[np.int16]:
    """Samples of shape (channels, samples) at CLIP_RATE_HZ; in stereo the speakers are panned left and right."""
    total = round(speech.seconds * CLIP_RATE_HZ)
    gain = 10 ** (speech.gain_db / 20)
    mixed = np.zeros((speech.channels, total), dtype=np.int16)
    position = CLIP_RATE_HZ // 4
    for turn, name in enumerate(cycle(speech.clips)):
        if position >= total:
            break
        samples = _clip(name)[: total - position]
        for channel in range(speech.channels):
            level = 1.0 if channel == turn % speech.channels else 0.3
            scaled = np.clip(samples * (gain * level), -1, 1) * 32_767
            mixed[channel, position : position + len(samples)] = scaled
        position += len(samples) + CLIP_RATE_HZ // 2
    return mixed


def _encode(speech: Speech, samples: NDArray[np.int16]) -> bytes:
    target = io.BytesIO()
    layout = "mono" if speech.channels == 1 else "stereo"
    with av.open(target, "w", format="mp3", options=_muxer_options(speech)) as container:
        if speech.title:
            container.metadata["title"] = speech.title
        stream = container.add_stream(
            "libmp3lame", rate=speech.rate_hz, layout=layout, options=_encoder_options(speech)
        )
        resampler = av.AudioResampler(format="s16p", layout=layout, rate=speech.rate_hz)
        for frame in chain(_frames(samples, layout), [None]):
            for resampled in resampler.resample(frame):
                container.mux(stream.encode(resampled))
        container.mux(stream.encode(None))
    return target.getvalue()


def _frames(samples: NDArray[np.int16], layout: str) -> Iterator[av.AudioFrame]:
    """One frame per second, so that an hour needs little more memory than its samples."""
    for start in range(0, samples.shape[1], CLIP_RATE_HZ):
        second = np.ascontiguousarray(samples[:, start : start + CLIP_RATE_HZ])
        frame = av.AudioFrame.from_ndarray(second, format="s16p", layout=layout)
        frame.sample_rate = CLIP_RATE_HZ
        frame.time_base = Fraction(1, CLIP_RATE_HZ)
        frame.pts = start
        yield frame


def _muxer_options(speech: Speech) -> dict[str, str]:
    return {
        "id3v2_version": "3" if speech.title else "0",
        "write_xing": "1" if speech.has_length_header else "0",
    }


def _encoder_options(speech: Speech) -> dict[str, Any]:
    fastest = {"compression_level": "9"}
    if speech.bitrate_kbps is None:
        return fastest | {"flags": "+qscale", "global_quality": str(7 * 118)}
    return fastest | {"b": str(speech.bitrate_kbps * 1000)}
