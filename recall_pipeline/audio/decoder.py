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

from recall_pipeline.audio.bursts import CLIP_LEVEL, BurstMute
from recall_pipeline.audio.container_source import ContainerSource
from recall_pipeline.audio.file_type import is_archive, is_container, magic
from recall_pipeline.audio.findings import (
    AudioFinding,
    damage_findings,
    edge_findings,
    length_finding,
    sequence_findings,
)
from recall_pipeline.audio.mp3_source import Mp3Source
from recall_pipeline.audio.results import DecodeResult
from recall_pipeline.errors import NotAudio

Samples = npt.NDArray[np.float32]
"""Shape (frames, channels), full scale at 1.0."""

CHUNK_SECONDS = 2

_CODECS_OF_ANY_LEVEL = ("pcm_", "wavpack")
"""Codecs that can store samples far above full scale on purpose."""

_PLAUSIBLE_RATES_HZ = range(4000, 384_001)
_MAX_CHANNELS = 8
_OPEN_ERRORS = (av.error.FFmpegError, ValueError, TypeError, AttributeError, RuntimeError, OverflowError)
"""What libav's binding raises for files that it cannot read."""

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
        self._magic = magic(path)
        self._samples_by_format: Counter[tuple[int, int]] = Counter()
        self._implausible_frames = 0
        self._format_changes = 0
        self._bursts = BurstMute()
        self._source = self._open()

    def frames(self) -> Iterator[av.AudioFrame]:
        """Yield each frame that decodes; raise NotAudio at the end if most packets did not."""
        decoded_frames = 0
        shape: tuple[int, int] | None = None
        for frame in self._source:
            if shape != (now := (frame.sample_rate, frame.layout.nb_channels)):
                if now[0] not in _PLAUSIBLE_RATES_HZ or now[1] > _MAX_CHANNELS:
                    self._implausible_frames += 1
                    continue
                self._format_changes += shape is not None
                shape = now
            self._samples_by_format[shape] += frame.samples
            decoded_frames += 1
            yield frame
        if not self._source.is_audio(decoded_frames - self._implausible_frames):
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
        """Yield the audio as floats, a few seconds at a time, without the bursts of damaged frames."""
        seconds = 0.0
        for chunk in self.chunks():
            samples = _as_float(interleaved(chunk))
            if not _is_within(samples):
                if not self._source.codec.startswith(_CODECS_OF_ANY_LEVEL):
                    samples = self._bursts.mute(samples, seconds, chunk.sample_rate)
                samples = _clipped(samples)
            seconds += chunk.samples / chunk.sample_rate
            yield Block(samples, chunk.sample_rate, _channel_names(chunk.layout))

    @property
    def burst_finding(self) -> AudioFinding | None:
        """What `blocks` muted; None if nothing."""
        return self._bursts.finding()

    @property
    def result(self) -> DecodeResult:
        """Counts of the finished pass. Valid only after all frames were decoded."""
        (rate_hz, channels), _ = self._samples_by_format.most_common(1)[0]
        return DecodeResult(
            magic=self._magic,
            codec=_CODECS.get(self._source.codec, self._source.codec),
            sample_rate_hz=rate_hz,
            channels=channels,
            bitrate_bps=self._source.bitrate_bps,
            header_seconds=self._source.header_seconds,
            duration_seconds=self._decoded_seconds(),
            bad_packets=self._source.damage.refused_frames + self._implausible_frames,
            format_changes=self._format_changes,
            silent_seconds=self._source.damage.silent_seconds,
            frame_seconds=self._source.frame_seconds,
            findings=tuple(self._findings()),
        )

    def _open(self) -> Mp3Source | ContainerSource:
        if is_archive(self._path, self._magic):
            raise self._not_audio_error()
        with contextlib.suppress(*_OPEN_ERRORS):
            if is_container(self._magic):
                return ContainerSource(self._path)
        if (mp3 := Mp3Source(self._path)).has_frames:
            return mp3
        with contextlib.suppress(*_OPEN_ERRORS):
            return ContainerSource(self._path)
        raise self._not_audio_error()

    def _findings(self) -> Iterator[AudioFinding]:
        source = self._source
        length = length_finding(self._decoded_seconds() - source.damage.silent_seconds, source.header_seconds)
        if length is not None:
            yield length
        yield from damage_findings(source.damage)
        if not source.is_complete:
            yield from edge_findings(source.is_cut_at_end and not source.states_length, source.edge_zero_seconds)
        yield from sequence_findings(source.splices, source.has_repeats)

    def _decoded_seconds(self) -> float:
        return sum(samples / rate_hz for (rate_hz, _), samples in self._samples_by_format.items())

    def _not_audio_error(self) -> NotAudio:
        appearance = f"it looks like {self._magic}" if self._magic != "empty" else "it is empty"
        return NotAudio(f"{self._path.name} has no decodable audio: {appearance}")


_CODECS = {"mp3float": "mp3"}  # libav's decoder name, to the codec's name


def _drain(fifo: av.AudioFifo) -> Iterator[av.AudioFrame]:
    if (chunk := fifo.read()) is not None:
        yield chunk


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


def _is_within(samples: Samples) -> bool:
    return bool(samples.max() <= CLIP_LEVEL and samples.min() >= -CLIP_LEVEL)  # false for NaN as well


def _clipped(samples: Samples) -> Samples:
    return np.clip(np.nan_to_num(samples, posinf=CLIP_LEVEL, neginf=-CLIP_LEVEL), -CLIP_LEVEL, CLIP_LEVEL)
