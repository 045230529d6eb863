"""Check the packets of a container: whether each is whole and decodes, and follows the one before."""

from collections.abc import Iterator
from typing import Any

import av
import av.error

from recall_pipeline.audio.damage import Damage
from recall_pipeline.audio.findings import MIN_DIFFERENCE_SECONDS

AudioPacket = Any  # generic in the stubs of PyAV only
_PADDING_BYTES = 1
_PARSER_PACKETS = 2  # how many packets libav makes of what follows an incomplete read: the last frame, and an empty one


class PacketChecks:
    """Decodes packets and counts what is wrong with them. Damage after the last good packet is not in `damage`.

    `splices` counts packets that start more than 0.2 s before or after the end of the one before. `bad_at_end` counts
    packets after the last good one that do not decode or are damaged.
    """

    def __init__(self, tick_seconds: float, starts_at_zero: bool, has_fixed_frames: bool) -> None:
        """Start with the first packet. With `has_fixed_frames`, each packet is one MPEG layer II frame."""
        self.damage = Damage()
        self.splices = 0
        self.bad_at_end = 0
        self._tick_seconds = tick_seconds
        self._has_fixed_frames = has_fixed_frames
        self._end_seconds = 0.0 if starts_at_zero else None
        self._since_incomplete = _PARSER_PACKETS + 1

    @property
    def is_cut_at_end(self) -> bool:
        """Whether the last packets do not decode or are incomplete."""
        return self.bad_at_end > 0 or self._since_incomplete <= _PARSER_PACKETS

    def decoded(self, packet: AudioPacket) -> Iterator[av.AudioFrame]:
        """Yield the frames of the next packet; none if it does not decode."""
        self._check_time(packet)
        self._since_incomplete = 0 if packet.is_corrupt else self._since_incomplete + 1
        is_bad = False
        try:
            for frame in packet.decode():
                is_bad = is_bad or frame.is_corrupt or self._is_odd_size(packet)
                if packet.size and not is_bad:  # an empty packet gives what earlier ones left in the decoder
                    self._count_bad(frame)
                yield frame
        except av.error.FFmpegError:
            is_bad = True
        self.bad_at_end += is_bad

    def _check_time(self, packet: AudioPacket) -> None:
        if packet.pts is None:
            return
        start = packet.pts * self._tick_seconds
        if self._end_seconds is not None:
            self.splices += abs(start - self._end_seconds) > MIN_DIFFERENCE_SECONDS
        self._end_seconds = start + packet.duration * self._tick_seconds if packet.duration else None

    def _is_odd_size(self, packet: AudioPacket) -> bool:
        """Whether a packet is not of the size that its bit rate gives: cut, or with other bytes behind it."""
        if not self._has_fixed_frames:
            return False
        context = packet.stream.codec_context
        stated_bytes = (context.bit_rate or 0) * context.frame_size // (8 * context.sample_rate)
        return not 0 <= packet.size - stated_bytes <= _PADDING_BYTES

    def _count_bad(self, good: av.AudioFrame) -> None:
        """Count the bad packets before a good frame as damage between good ones."""
        if self.bad_at_end:
            self.damage.first_seconds = self.damage.first_seconds or good.time or 0.0
            self.damage.stretches += 1
            self.damage.refused_frames += self.bad_at_end
            self.bad_at_end = 0
