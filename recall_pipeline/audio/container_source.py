"""A file of any other container and codec as a source of decoded frames, by libav."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import av.error

from recall_pipeline.audio.container_length import container_seconds, ogg_lacks_end
from recall_pipeline.audio.damage import Damage
from recall_pipeline.audio.tags import leading_tags_bytes

# Playlists and scripts (HLS, concat) are excluded: they make a demuxer open other files and URLs.
_ALLOWED_DEMUXERS = "mp3,wav,w64,mov,flac,ogg,aac,matroska,aiff,caf,asf,amr,au"
_OPEN_OPTIONS = {"format_whitelist": _ALLOWED_DEMUXERS, "protocol_whitelist": "file"}
_IO_BUFFER_BYTES = 1 << 18
_DEFAULT_FRAME_SAMPLES = 1152
_MAX_TRAILING = 20


class ContainerSource:
    """Frames of the first audio stream that has a decoder."""

    is_complete = has_repeats = False
    splices = 0
    edge_zero_seconds = 0.0

    def __init__(self, path: Path) -> None:
        """Open the file. Raises OSError if it cannot be read, ValueError or FFmpegError if it has no such stream."""
        self._resources = contextlib.ExitStack()
        self.damage = Damage()
        self._refused_at_end = 0
        with contextlib.ExitStack() as opening:
            file = opening.enter_context(_open_past_tags(path))
            self._container = av.open(
                file, "r", container_options=_OPEN_OPTIONS, metadata_errors="replace", buffer_size=_IO_BUFFER_BYTES
            )
            opening.callback(self._container.close)
            self._stream = _decodable(self._container)
            self._read_header(path)
            self._resources = opening.pop_all()

    def _read_header(self, path: Path) -> None:
        """Read what closing the container invalidates."""
        context = self._stream.codec_context
        context.thread_count = 1
        self.codec = context.name
        if self.codec.startswith("mp3") and self._container.format.name == "mp3":
            raise ValueError("its frames are read by Mp3Source")
        self.bitrate_bps = context.bit_rate or self._container.bit_rate or None
        self.is_cut_at_end = ogg_lacks_end(path)
        self.header_seconds = container_seconds(path, self._container.format.name, self._stream)
        samples = context.frame_size or _DEFAULT_FRAME_SAMPLES
        self.frame_seconds = samples / context.sample_rate if context.sample_rate else 0.0

    def __iter__(self) -> Iterator[av.AudioFrame]:
        """Decode the file, then close it. Packets that are refused after the last good one are not counted."""
        with self._resources, contextlib.suppress(av.error.FFmpegError):  # a demuxer that fails cannot continue
            for packet in self._container.demux(self._stream):
                try:
                    for frame in packet.decode():
                        self._count_refused(frame)
                        yield frame
                except av.error.FFmpegError:
                    self._refused_at_end += 1

    def _count_refused(self, good: av.AudioFrame) -> None:
        """Count the packets that were refused before a good frame as damage between good ones."""
        if self._refused_at_end:
            self.damage.first_seconds = self.damage.first_seconds or good.time or 0.0
            self.damage.stretches += 1
            self.damage.refused_frames += self._refused_at_end
            self._refused_at_end = 0

    def is_audio(self, decoded_frames: int) -> bool:
        """Whether more packets decoded than were refused between them, and the rest is not by far more."""
        return decoded_frames > self.damage.refused_frames and self._refused_at_end <= _MAX_TRAILING * decoded_frames

    def close(self) -> None:
        """Close the file."""
        self._resources.close()


def _decodable(container: av.container.InputContainer) -> Any:
    """Return the first audio stream that has a decoder; raise ValueError if there is none."""
    for stream in container.streams.audio:
        if stream.codec_context is not None:
            return stream
    kinds = "no audio stream" if not container.streams.audio else "no decoder for its codec"
    raise ValueError(kinds)


class _FileFrom:
    """A file from a position on. It has no name: libav would choose a demuxer by it."""

    def __init__(self, path: Path, start: int) -> None:
        self._file = path.open("rb")
        self._start = start
        self._file.seek(start)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        from_start = self._start if whence == io.SEEK_SET else 0
        return self._file.seek(offset + from_start, whence) - self._start

    def tell(self) -> int:
        return self._file.tell() - self._start

    def close(self) -> None:
        self._file.close()


def _open_past_tags(path: Path) -> contextlib.closing[_FileFrom]:
    return contextlib.closing(_FileFrom(path, leading_tags_bytes(path)))
