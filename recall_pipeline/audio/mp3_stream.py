"""Decode the frames of an MP3, and keep the time of those that cannot be decoded.

A frame that the decoder refuses becomes silence, and so do frames that damaged bytes replace. The
decoder is reset there: it would otherwise decode the next frames with bytes of other frames, which
gives bursts louder than full scale.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import av
import av.error

from recall_pipeline.audio.damage import Damage
from recall_pipeline.audio.frame_edit import SampleTrim, silent_frame
from recall_pipeline.audio.mp3_length import StatedLength
from recall_pipeline.audio.mp3_parts import Mp3Parts
from recall_pipeline.audio.mp3_reader import Gap, Mp3Reader

_MAX_REFUSED_AT_END = 3
_MAX_KEPT_SECONDS = 60.0
"""How much time one gap keeps in a file that states no length."""


@dataclass(slots=True)
class Mp3Stream:
    """The decoded frames of an MP3. Iterate it once, then read `damage`."""

    path: Path
    parts: Mp3Parts
    damage: Damage = field(default_factory=Damage)
    _pending: Damage = field(default_factory=Damage)
    _frames: int = 0
    _part: int = 0
    _missing_frames: int | None = None
    _trim: SampleTrim = field(default_factory=SampleTrim)

    def __iter__(self) -> Iterator[av.AudioFrame]:
        """Yield each frame that decodes, and silence for those between that do not."""
        codec = _mp3_decoder()
        self._missing_frames = self.parts.parts[0].missing_frames
        for item in Mp3Reader(self.path):
            if isinstance(item, list):
                yield from self._decode(codec, item)
            elif isinstance(item, Gap):
                yield from self._pass_gap(codec, item)
            else:
                self._start_part(item.length)

        if self._pending.refused_frames > _MAX_REFUSED_AT_END and not self.parts.is_complete:
            self._count(self._pending, 0.0)

    def _start_part(self, length: StatedLength) -> None:
        self._part += 1
        self._missing_frames = self.parts.parts[self._part].missing_frames
        self._trim = SampleTrim(length)

    def _decode(self, codec: av.AudioCodecContext, frames: list[bytes]) -> Iterator[av.AudioFrame]:
        for data in frames:
            try:
                decoded = codec.decode(av.Packet(data))
            except av.error.FFmpegError:
                self._lose(codec, 1, refused=1)
                continue
            self._frames += 1
            for frame in decoded:
                if self._pending.stretches:
                    yield from self._restore(frame)
                if (kept := self._trim.kept(frame)) is not None:
                    yield kept

    def _pass_gap(self, codec: av.AudioCodecContext, gap: Gap) -> Iterator[av.AudioFrame]:
        """Pass over bytes between frames. The frame before them is damaged, unless no frame is missing."""
        if gap.before and self._missing_frames == 0:
            yield from self._decode(codec, [gap.before])
        if not gap.is_inside:
            return
        lost = self._frames_in(gap.size_bytes)
        is_damaged = bool(gap.before) and self._missing_frames != 0
        self._lose(codec, lost + is_damaged, refused=int(is_damaged))
        if gap.zero_bytes >= self.parts.mean_frame_bytes and gap.is_zeros:
            self._pending.zero_runs += 1
            self._pending.zero_bytes += gap.zero_bytes
        if self._missing_frames is not None:
            self._missing_frames -= lost

    def _frames_in(self, size_bytes: int) -> int:
        """Return how many frames a gap replaces: at most as many as the file states and does not have."""
        frames = round(size_bytes / self.parts.mean_frame_bytes)
        most = self._missing_frames
        return min(frames, int(_MAX_KEPT_SECONDS / self.parts.frame_seconds) if most is None else most)

    def _lose(self, codec: av.AudioCodecContext, frames: int, refused: int) -> None:
        codec.flush_buffers()
        self._pending.stretches = 1
        self._pending.silent_frames += frames
        self._pending.refused_frames += refused

    def _restore(self, like: av.AudioFrame) -> Iterator[av.AudioFrame]:
        """Yield silence for the frames lost before `like`. Those after the last good frame are never counted."""
        lost, self._pending = self._pending, Damage()
        self._count(lost, like.samples / like.sample_rate)
        for _ in range(lost.silent_frames):
            if (kept := self._trim.kept(silent_frame(like))) is not None:
                yield kept

    def _count(self, lost: Damage, frame_seconds: float) -> None:
        damage = self.damage
        if not damage.stretches:
            damage.first_seconds = self._frames * self.parts.frame_seconds
        damage.stretches += 1
        damage.refused_frames += lost.refused_frames
        damage.silent_frames += lost.silent_frames
        damage.silent_seconds += lost.silent_frames * frame_seconds
        damage.zero_runs += lost.zero_runs
        damage.zero_bytes += lost.zero_bytes


def _mp3_decoder() -> av.AudioCodecContext:
    codec = cast(av.AudioCodecContext, av.CodecContext.create("mp3float", "r"))
    codec.thread_count = 1
    return codec
