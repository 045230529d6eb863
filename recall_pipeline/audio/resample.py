"""Resampling: blocks of any sample rate and layout in, samples of one rate and one layout out."""

from collections.abc import Iterable, Iterator

import numpy as np
import soxr

from recall_pipeline.audio.channels import averaging_matrix
from recall_pipeline.audio.decoder import Block, Samples

_MIN_JOINED_FRAMES = 80_000  # five seconds at 16 kHz, which fit into the cache


class Resampler:
    """Converts a stream from one sample rate to another, all channels together."""

    def __init__(self, from_hz: int, to_hz: int, channels: int) -> None:
        """Start a stream."""
        self._is_same_rate = from_hz == to_hz
        self._stream = soxr.ResampleStream(from_hz, to_hz, channels, "float32", "HQ")

    def feed(self, samples: Samples, last: bool = False) -> Samples:
        """Take (frames, channels) and return the frames that are ready; all that remain if `last`."""
        if self._is_same_rate:
            return samples
        out: Samples = self._stream.resample_chunk(np.ascontiguousarray(samples), last)
        return out.reshape(-1, samples.shape[1])


def resample_blocks(blocks: Iterable[Block], to_hz: int, layout: tuple[str, ...]) -> Iterator[Samples]:
    """Yield the samples of all blocks at one sample rate, with the channels of `layout`."""
    resampler, from_hz, channels = None, 0, len(layout)
    no_frames = np.empty((0, channels), dtype=np.float32)
    for block in blocks:
        if resampler is None or from_hz != block.sample_rate_hz:
            if resampler is not None:
                yield resampler.feed(no_frames, last=True)
            from_hz = block.sample_rate_hz
            resampler = Resampler(from_hz, to_hz, channels)
        yield resampler.feed(_to_layout(block, layout))
    if resampler is not None:
        yield resampler.feed(no_frames, last=True)


def _to_layout(block: Block, layout: tuple[str, ...]) -> Samples:
    if block.layout == layout:
        return block.samples
    if len(layout) <= 2:
        matrix = averaging_matrix(block.layout, len(layout))
        return block.samples if matrix is None else block.samples @ matrix
    mono = block.samples.mean(axis=1, dtype=np.float32)
    return np.repeat(mono[:, None], len(layout), axis=1)


def join_parts(parts: Iterable[Samples]) -> Iterator[Samples]:
    """Join small parts into larger ones, so that the cost of each call is small beside the work on its samples."""
    waiting: list[Samples] = []
    for samples in parts:
        waiting.append(samples)
        if sum(map(len, waiting)) >= _MIN_JOINED_FRAMES:
            yield np.concatenate(waiting)
            waiting = []
    if any(map(len, waiting)):
        yield np.concatenate(waiting)
