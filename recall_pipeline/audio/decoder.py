"""One pass through the sound in a file, whatever its shape, in bounded memory.

Tolerant by design: a packet the decoder refuses is counted and skipped, and the sample rate or
the number of channels may change on the way. Only sound decides, not the name.
"""

import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import av
import av.error
import numpy as np
import numpy.typing as npt
from av.audio.frame import format_dtypes

from recall_pipeline.audio import headers
from recall_pipeline.audio.results import Proof
from recall_pipeline.errors import NotAudio

Samples = npt.NDArray[np.float32]
"""Shape (frames, channels), full scale at 1.0."""

CHUNK_SECONDS = 2
CLIP = 2.0  # +6 dBFS: no encoder overshoots as far, a broken frame decodes up to +72 dBFS

# Playlists and scripts (HLS, concat) make a demuxer open other files and addresses: never these.
_CONTAINERS = "mp3,wav,w64,mov,flac,ogg,aac,matroska,aiff,caf,asf,amr,au"
_OPEN = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}
_PROMISING = ("wav", "w64", "mov", "flac", "matroska", "aiff", "caf")
_RATES_HZ = range(4000, 384_001)
_MOST_CHANNELS = 8

USUAL_LAYOUTS = ("", "mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")
"""By number of channels: what a file means that does not say which they are."""


# glibc returns freed memory to the system at every turn and pays for each page again, unless a
# block this large was freed before: a third of all CPU where pages are dear. It is never touched.
np.empty(31 << 20, dtype=np.uint8)


class Block(NamedTuple):
    """Some seconds of sound in one format; `layout` names the channels as libav does."""

    samples: Samples
    sample_rate_hz: int
    layout: tuple[str, ...]


class Decoding:
    """A decoder on one file; iterate it once, then ask it for its `proof`.

    Raises NotAudio when opened on, or iterated over, something in which there is no sound.
    """

    def __init__(self, path: Path) -> None:
        """Open the file; raises OSError when it cannot be read."""
        self._path = path
        self._magic = headers.magic(path)
        self._samples: Counter[tuple[int, int]] = Counter()
        self._bad_packets = 0
        self._changes = 0
        self._container = self._open()
        if not self._container.streams.audio:
            self._container.close()
            raise self._not_audio()
        self._stream = self._container.streams.audio[0]
        self._stream.codec_context.thread_count = 1
        # Read now: once the container is closed these are no longer there.
        self._codec = self._stream.codec_context.name
        self._bitrate_bps = self._stream.codec_context.bit_rate or self._container.bit_rate or None
        self._header_seconds = self._promise()

    def frames(self) -> Iterator[av.AudioFrame]:
        """Yield every frame that decodes; raises NotAudio after the last when most did not.

        Bytes drawn by lot hold a frame of MP3 every few hundred kilobytes.
        """
        good = 0
        shape: tuple[int, int] | None = None
        with contextlib.closing(self._container):
            for frame in self._decoded():
                if shape != (now := (frame.sample_rate, frame.layout.nb_channels)):
                    if now[0] not in _RATES_HZ or now[1] > _MOST_CHANNELS:
                        self._bad_packets += 1
                        continue
                    self._changes += shape is not None
                    shape = now
                self._samples[shape] += frame.samples
                good += 1
                yield frame
        if good <= self._bad_packets:
            raise self._not_audio()

    def chunks(self) -> Iterator[av.AudioFrame]:
        """Yield the sound as decoded, some seconds at a time, each chunk in one format."""
        fifo, shape = av.AudioFifo(), None
        for frame in self.frames():
            if shape != (shape := (frame.sample_rate, frame.layout.name, frame.format.name)):
                yield from _drain(fifo)
                fifo = av.AudioFifo()
            frame.pts = None  # those of a damaged file jump, and a fifo minds
            fifo.write(frame)
            if fifo.samples >= CHUNK_SECONDS * frame.sample_rate:
                yield from _drain(fifo)
        yield from _drain(fifo)

    def blocks(self) -> Iterator[Block]:
        """Yield the sound as floats, some seconds at a time."""
        return map(_block, self.chunks())

    @property
    def proof(self) -> Proof:
        """What the finished pass has proven."""
        (rate_hz, channels), _ = self._samples.most_common(1)[0]
        return Proof(
            magic=self._magic,
            codec=_CODECS.get(self._codec, self._codec),
            sample_rate_hz=rate_hz,
            channels=channels,
            bitrate_bps=self._bitrate_bps,
            header_seconds=self._header_seconds,
            duration_seconds=self._seconds(),
            bad_packets=self._bad_packets,
            format_changes=self._changes,
        )

    def _open(self) -> av.container.InputContainer:
        # A few frames of MP3, or some junk before them, are not recognized: so it is tried by name as well.
        names = (None, "mp3") if headers.first_frame(self._path) else (None,)
        for name in () if self._magic in headers.NO_SOUND else names:
            with contextlib.suppress(av.error.FFmpegError, ValueError):
                return av.open(
                    f"file:{self._path}",
                    format=name,
                    container_options=_OPEN,
                    metadata_errors="replace",
                )
        raise self._not_audio()

    def _decoded(self) -> Iterator[av.AudioFrame]:
        try:
            for packet in self._container.demux(self._stream):
                try:
                    yield from packet.decode()
                except av.error.FFmpegError:
                    self._bad_packets += 1
        except av.error.FFmpegError:
            self._bad_packets += 1  # a demuxer that stumbles does not go on

    def _seconds(self) -> float:
        return sum(samples / rate_hz for (rate_hz, _), samples in self._samples.items())

    def _promise(self) -> float | None:
        format_name = self._container.format.name
        if format_name == "mp3":
            return headers.promised_seconds(self._path)
        if not format_name.startswith(_PROMISING) or not self._stream.duration or not self._stream.time_base:
            return None
        return float(self._stream.duration * self._stream.time_base) * headers.missing_share(self._path)

    def _not_audio(self) -> NotAudio:
        looks = f"it looks like {self._magic}" if self._magic != "empty" else "it is empty"
        return NotAudio(f"{self._path.name} holds no decodable audio: {looks}")


_CODECS = {"mp3float": "mp3"}  # libav's decoder of floats; the codec has one name


def _drain(fifo: av.AudioFifo) -> Iterator[av.AudioFrame]:
    if (chunk := fifo.read()) is not None:
        yield chunk


def _block(frame: av.AudioFrame) -> Block:
    return Block(_sane(_as_float(interleaved(frame))), frame.sample_rate, _codec_names(frame.layout))


def _codec_names(layout: av.AudioLayout) -> tuple[str, ...]:
    names = tuple(channel.name for channel in layout.channels)
    return _codec_names(av.AudioLayout(USUAL_LAYOUTS[len(names)])) if "NONE" in names else names


def interleaved(frame: av.AudioFrame) -> npt.NDArray[Any]:
    """The samples of a frame as they were decoded, shape (frames, channels)."""
    if not frame.format.is_planar:
        return frame.to_ndarray().reshape(frame.samples, -1)
    dtype = np.dtype(format_dtypes[frame.format.name])
    planes = [np.frombuffer(memoryview(plane), dtype, frame.samples) for plane in frame.planes]
    return planes[0][:, None] if len(planes) == 1 else np.stack(planes, axis=1)


def _as_float(data: npt.NDArray[Any]) -> Samples:
    samples: Samples = data.astype(np.float32, copy=False)
    if data.dtype == np.uint8:
        return samples / np.float32(128) - np.float32(1)
    if np.issubdtype(data.dtype, np.integer):
        return samples / np.float32(2 ** (8 * data.itemsize - 1))
    return samples


def _sane(samples: Samples) -> Samples:
    if samples.max() <= CLIP and samples.min() >= -CLIP:  # false for NaN as well
        return samples
    return np.clip(np.nan_to_num(samples, posinf=CLIP, neginf=-CLIP), -CLIP, CLIP)
