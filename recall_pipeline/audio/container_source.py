"""A file of any other container and codec as a source of decoded frames, by libav."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import av.error

from recall_pipeline.audio.container_end import is_fragmented, lacks_end
from recall_pipeline.audio.container_length import container_seconds
from recall_pipeline.audio.damage import Damage
from recall_pipeline.audio.packet_checks import AudioPacket, PacketChecks
from recall_pipeline.audio.untagged_file import UntaggedFile

# Playlists and scripts (HLS, concat) are excluded: they make a demuxer open other files and URLs.
_ALLOWED_DEMUXERS = "mp3,wav,w64,mov,flac,ogg,aac,matroska,aiff,caf,asf,amr,au,avi,flv,mpegts,mpeg,ac3,eac3,loas,wv,tta"
_OPEN_OPTIONS = {"format_whitelist": _ALLOWED_DEMUXERS, "protocol_whitelist": "file"}
_DEMUXER_OPTIONS = {"resync_size": str(1 << 30)}  # how far MPEG-TS looks past damage
_IO_BUFFER_BYTES = 1 << 18
_DEFAULT_FRAME_SAMPLES = 1152
_MAX_TRAILING = 20


class ContainerSource:
    """Frames of the first audio stream that has a decoder."""

    is_complete = has_repeats = False
    edge_zero_seconds = 0.0

    def __init__(self, path: Path) -> None:
        """Open the file. Raises OSError if it cannot be read, ValueError or FFmpegError if it has no such stream."""
        self._resources = contextlib.ExitStack()
        self._is_interrupted = False
        with contextlib.ExitStack() as opening:
            file = opening.enter_context(contextlib.closing(UntaggedFile(path)))
            self._container = av.open(
                file,
                "r",
                options=_DEMUXER_OPTIONS,
                container_options=_OPEN_OPTIONS,
                metadata_errors="replace",
                buffer_size=_IO_BUFFER_BYTES,
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
        format_name = self._container.format.name
        if self.codec.startswith("mp3") and format_name == "mp3":
            raise ValueError("its frames are read by Mp3Source")
        self.bitrate_bps = context.bit_rate or self._container.bit_rate or None
        with contextlib.closing(UntaggedFile(path)) as file:
            self.header_seconds = container_seconds(file, format_name, self._stream)
            self.states_length = self.header_seconds is not None and not is_fragmented(file, format_name)
            self._lacks_end = not self.states_length and lacks_end(file, format_name)
        has_fixed_frames = format_name == "mp3" and self.codec.startswith("mp2")
        self._checks = PacketChecks(float(self._stream.time_base), format_name == "ogg", has_fixed_frames)
        samples = context.frame_size or _DEFAULT_FRAME_SAMPLES
        self.frame_seconds = samples / context.sample_rate if context.sample_rate else 0.0

    @property
    def damage(self) -> Damage:
        """Damage between the packets decoded so far."""
        return self._checks.damage

    @property
    def splices(self) -> int:
        """Packets decoded so far that do not follow the one before."""
        return self._checks.splices

    @property
    def is_cut_at_end(self) -> bool:
        """Whether the file ends within a packet, a page, a box or an element, as far as it was read."""
        return self._lacks_end or self._is_interrupted or self._checks.is_cut_at_end

    def __iter__(self) -> Iterator[av.AudioFrame]:
        """Decode the file, then close it. Packets that are refused after the last good one are not counted."""
        with self._resources:
            try:
                for packet in self._packets():
                    yield from self._checks.decoded(packet)
            except av.error.FFmpegError:  # a demuxer that fails cannot continue
                self._is_interrupted = True

    def _packets(self) -> Iterator[AudioPacket]:
        with contextlib.suppress(IndexError):  # PyAV raises it at the end, if damage looked like another stream
            yield from self._container.demux(self._stream)

    def is_audio(self, decoded_frames: int) -> bool:
        """Whether more packets decoded than were refused between them, and the rest is not by far more."""
        return decoded_frames > self.damage.refused_frames and self._checks.bad_at_end <= _MAX_TRAILING * decoded_frames

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
