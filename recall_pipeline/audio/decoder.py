"""Decode an audio file of any container and codec, in one pass and bounded memory.

Tolerant by design: a packet that does not decode is counted and skipped, and the sample rate or the
number of channels may change within the file. The content decides the file type, not the name.
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
from recall_pipeline.audio.results import DecodeResult
from recall_pipeline.errors import NotAudio

Samples = npt.NDArray[np.float32]
"""Shape (frames, channels), full scale at 1.0."""

CHUNK_SECONDS = 2
CLIP_LEVEL = 2.0  # +6 dBFS: encoders overshoot less, damaged frames decode to as much as +72 dBFS

# Playlists and scripts (HLS, concat) are excluded: they make a demuxer open other files and URLs.
_ALLOWED_DEMUXERS = "mp3,wav,w64,mov,flac,ogg,aac,matroska,aiff,caf,asf,amr,au"
_OPEN_OPTIONS = {"format_whitelist": _ALLOWED_DEMUXERS, "protocol_whitelist": "file"}
_FORMATS_WITH_LENGTH = ("wav", "w64", "mov", "flac", "matroska", "aiff", "caf")
_PLAUSIBLE_RATES_HZ = range(4000, 384_001)
_MAX_CHANNELS = 8

DEFAULT_LAYOUTS = ("", "mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")
"""Layout by number of channels, for files that do not name their channels."""


# Freeing one large block raises glibc's threshold for returning freed memory to the system. Without it,
# page faults take up to a third of all CPU. The block is never written to, so it costs no memory.
np.empty(31 << 20, dtype=np.uint8)


class Block(NamedTuple):
    """A few seconds of audio in one format; `layout` has the channel names of libav."""

    samples: Samples
    sample_rate_hz: int
    layout: tuple[str, ...]


class Decoder:
    """Decodes one file. Iterate it once, then read `result`.

    Opening and iterating raise NotAudio if the file has no decodable audio.
    """

    def __init__(self, path: Path) -> None:
        """Open the file; raise OSError if it cannot be read, NotAudio if it has no audio stream."""
        self._path = path
        self._magic = headers.magic(path)
        self._samples_by_format: Counter[tuple[int, int]] = Counter()
        self._bad_packets = 0
        self._format_changes = 0
        self._container = self._open()
        if not self._container.streams.audio:
            self._container.close()
            raise self._not_audio_error()
        self._stream = self._container.streams.audio[0]
        self._stream.codec_context.thread_count = 1
        # Read now: closing the container invalidates these.
        self._codec = self._stream.codec_context.name
        self._bitrate_bps = self._stream.codec_context.bit_rate or self._container.bit_rate or None
        self._header_seconds = self._read_header_seconds()

    def frames(self) -> Iterator[av.AudioFrame]:
        """Yield each frame that decodes; raise NotAudio at the end if most packets did not.

        Random bytes contain a valid MP3 frame every few hundred kilobytes.
        """
        decoded_frames = 0
        shape: tuple[int, int] | None = None
        with contextlib.closing(self._container):
            for frame in self._decoded():
                if shape != (now := (frame.sample_rate, frame.layout.nb_channels)):
                    if now[0] not in _PLAUSIBLE_RATES_HZ or now[1] > _MAX_CHANNELS:
                        self._bad_packets += 1
                        continue
                    self._format_changes += shape is not None
                    shape = now
                self._samples_by_format[shape] += frame.samples
                decoded_frames += 1
                yield frame
        if decoded_frames <= self._bad_packets:
            raise self._not_audio_error()

    def chunks(self) -> Iterator[av.AudioFrame]:
        """Yield the audio in its decoded sample format, a few seconds at a time, each chunk in one format."""
        fifo, shape = av.AudioFifo(), None
        for frame in self.frames():
            if shape != (shape := (frame.sample_rate, frame.layout.name, frame.format.name)):
                yield from _drain(fifo)
                fifo = av.AudioFifo()
            frame.pts = None  # timestamps of a damaged file jump, which a fifo rejects
            fifo.write(frame)
            if fifo.samples >= CHUNK_SECONDS * frame.sample_rate:
                yield from _drain(fifo)
        yield from _drain(fifo)

    def blocks(self) -> Iterator[Block]:
        """Yield the audio as floats, a few seconds at a time."""
        return map(_to_block, self.chunks())

    @property
    def result(self) -> DecodeResult:
        """Counts of the finished pass. Valid only after all frames were decoded."""
        (rate_hz, channels), _ = self._samples_by_format.most_common(1)[0]
        return DecodeResult(
            magic=self._magic,
            codec=_CODECS.get(self._codec, self._codec),
            sample_rate_hz=rate_hz,
            channels=channels,
            bitrate_bps=self._bitrate_bps,
            header_seconds=self._header_seconds,
            duration_seconds=self._decoded_seconds(),
            bad_packets=self._bad_packets,
            format_changes=self._format_changes,
        )

    def _open(self) -> av.container.InputContainer:
        # libav does not recognize a short MP3, or one after junk bytes: retry with the format named.
        names = (None, "mp3") if headers.first_frame(self._path) else (None,)
        for name in () if self._magic in headers.NOT_AUDIO_TYPES else names:
            with contextlib.suppress(av.error.FFmpegError, ValueError):
                return av.open(
                    f"file:{self._path}",
                    format=name,
                    container_options=_OPEN_OPTIONS,
                    metadata_errors="replace",
                )
        raise self._not_audio_error()

    def _decoded(self) -> Iterator[av.AudioFrame]:
        try:
            for packet in self._container.demux(self._stream):
                try:
                    yield from packet.decode()
                except av.error.FFmpegError:
                    self._bad_packets += 1
        except av.error.FFmpegError:
            self._bad_packets += 1  # a demuxer that fails cannot continue

    def _decoded_seconds(self) -> float:
        return sum(samples / rate_hz for (rate_hz, _), samples in self._samples_by_format.items())

    def _read_header_seconds(self) -> float | None:
        format_name = self._container.format.name
        if format_name == "mp3":
            return headers.header_duration_seconds(self._path)
        if not format_name.startswith(_FORMATS_WITH_LENGTH) or not self._stream.duration or not self._stream.time_base:
            return None
        return float(self._stream.duration * self._stream.time_base) * headers.riff_size_ratio(self._path)

    def _not_audio_error(self) -> NotAudio:
        appearance = f"it looks like {self._magic}" if self._magic != "empty" else "it is empty"
        return NotAudio(f"{self._path.name} has no decodable audio: {appearance}")


_CODECS = {"mp3float": "mp3"}  # libav's decoder name, to the codec's name


def _drain(fifo: av.AudioFifo) -> Iterator[av.AudioFrame]:
    if (chunk := fifo.read()) is not None:
        yield chunk


def _to_block(frame: av.AudioFrame) -> Block:
    return Block(_clipped(_as_float(interleaved(frame))), frame.sample_rate, _channel_names(frame.layout))


def _channel_names(layout: av.AudioLayout) -> tuple[str, ...]:
    names = tuple(channel.name for channel in layout.channels)
    return _channel_names(av.AudioLayout(DEFAULT_LAYOUTS[len(names)])) if "NONE" in names else names


def interleaved(frame: av.AudioFrame) -> npt.NDArray[Any]:
    """Return a frame's samples in their decoded type, shape (frames, channels)."""
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


def _clipped(samples: Samples) -> Samples:
    if samples.max() <= CLIP_LEVEL and samples.min() >= -CLIP_LEVEL:  # false for NaN as well
        return samples
    return np.clip(np.nan_to_num(samples, posinf=CLIP_LEVEL, neginf=-CLIP_LEVEL), -CLIP_LEVEL, CLIP_LEVEL)
