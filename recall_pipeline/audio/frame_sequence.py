"""Check that the frames of an MP3 without a length header follow one another.

A frame's main data may begin in earlier frames, in the bit reservoir, but never before the main data of
the frame before it ends (ISO/IEC 11172-3 section 2.4.3.4). Where frames are missing or repeated, it
often does. Frames that occur twice in the same order, byte by byte, are repeated.
"""

import zlib
from array import array

import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.mpeg_header import HEADER_BYTES, FrameHeader, parse_frame_header

_HEAD_BYTES = 40
_MONO = 3
_RUN_FRAMES = 16  # more than half a second
_MIN_DISTINCT = 12  # silence has few different frames
_MIN_REPEATED = 0.8  # of the distance to the first run
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)

Ints = npt.NDArray[np.int64]


class FrameSequence:
    """Checks frames as they are read. `splices` counts places where the main data overlaps."""

    def __init__(self) -> None:
        """Start at any frame."""
        self.splices = 0
        self._checksums = array("I")
        self._main_end: int | None = None

    def feed(self, frames: list[bytes]) -> None:
        """Add consecutive frames."""
        if not frames:
            return
        self._checksums.extend([zlib.crc32(frame) for frame in frames])
        header = parse_frame_header(frames[0][:HEADER_BYTES])
        heads = np.frombuffer(b"".join([frame[:_HEAD_BYTES].ljust(_HEAD_BYTES) for frame in frames]), np.uint8)
        rows = heads.reshape(-1, _HEAD_BYTES).astype(np.int64)
        if header is None or np.ptp(rows[:, 1]) or len(set((rows[:, 3] >> 6 == _MONO).tolist())) > 1:
            self.interrupt()  # of several formats
            return
        self._compare(rows, np.array([len(frame) for frame in frames]), header)

    def interrupt(self) -> None:
        """Forget the last frame: the next one need not follow it."""
        self._main_end = None

    def _compare(self, rows: Ints, sizes: Ints, header: FrameHeader) -> None:
        side = HEADER_BYTES + 2 * (not rows[0, 1] & 1)  # after a checksum, if there is one
        capacities = sizes - side - (header.tag_offset_bytes - HEADER_BYTES)
        begins_before, bits = _main_data(rows[:, side:], header)
        starts = np.cumsum(capacities) - capacities - begins_before
        ends = starts + (bits + 7) // 8
        if self._main_end is not None:
            self.splices += int(starts[0] < self._main_end)
        self.splices += int(np.count_nonzero(starts[1:] < ends[:-1]))
        self._main_end = int(ends[-1] - capacities.sum())

    def repeated_frames(self) -> int:
        """Return how many frames directly follow an equal run of as many; 0 for audio that loops more often."""
        runs = _hashes_of_runs(np.frombuffer(self._checksums, np.uint32).astype(np.uint64))
        order = np.argsort(runs, kind="stable")
        is_repeated = runs[order[1:]] == runs[order[:-1]]
        first, second = order[:-1][is_repeated], order[1:][is_repeated]
        is_speech = np.array([self._is_varied(int(at)) for at in first], dtype=bool)
        first, second = first[is_speech], second[is_speech]
        if not first.size or np.isin(first, second).any():
            return 0
        distance = int(np.median(second - first))
        frames = int(np.count_nonzero(second - first == distance)) + _RUN_FRAMES - 1
        return frames if frames > _MIN_REPEATED * distance else 0

    def _is_varied(self, at: int) -> bool:
        return len(set(self._checksums[at : at + _RUN_FRAMES])) >= _MIN_DISTINCT


def _hashes_of_runs(checksums: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return a hash of each _RUN_FRAMES consecutive checksums; empty if there are fewer."""
    runs = np.zeros(max(0, checksums.size - _RUN_FRAMES + 1), np.uint64)
    for at in range(_RUN_FRAMES):
        runs = runs * _MULTIPLIER + checksums[at : at + runs.size]
    return runs


def _main_data(side: Ints, header: FrameHeader) -> tuple[Ints, Ints]:
    """Return how many bytes before each frame its main data begins, and how many bits it has."""
    mono = header.channels == 1
    if header.version == 1:
        begins_before = side[:, 0] << 1 | side[:, 1] >> 7
        first, stride, granules = (18, 59, 2) if mono else (20, 59, 4)
    else:
        begins_before = side[:, 0]
        first, stride, granules = (9, 63, 1) if mono else (10, 63, 2)
    return begins_before, sum(
        (_twelve_bits(side, first + stride * at) for at in range(granules)), np.zeros_like(begins_before)
    )


def _twelve_bits(side: Ints, bit: int) -> Ints:
    byte, shift = bit // 8, 12 - bit % 8
    word = side[:, byte] << 16 | side[:, byte + 1] << 8 | side[:, byte + 2]
    return word >> shift & 0xFFF
