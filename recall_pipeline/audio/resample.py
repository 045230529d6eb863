"""Blocks of any rate and layout in, blocks of one rate and one layout out."""

from collections.abc import Iterable, Iterator

import numpy as np
import soxr

from recall_pipeline.audio.channels import mixing
from recall_pipeline.audio.decoder import Block, Samples

_ENOUGH = 80_000  # samples a channel: five seconds at 16 kHz, which stay in the cache


class Resampler:
    """Brings a stream from one rate to another, its channels in step."""

    def __init__(self, from_hz: int, to_hz: int, channels: int) -> None:
        """Set up a stream."""
        self._same = from_hz == to_hz
        self._stream = soxr.ResampleStream(from_hz, to_hz, channels, "float32", "HQ")

    def feed(self, samples: Samples, last: bool = False) -> Samples:
        """Take (frames, channels), give what is ready; all the rest when it is the last."""
        if self._same:
            return samples
        out: Samples = self._stream.resample_chunk(np.ascontiguousarray(samples), last)
        return out.reshape(-1, samples.shape[1])


def conform(blocks: Iterable[Block], to_hz: int, layout: tuple[str, ...]) -> Iterator[Samples]:
    """Yield the blocks' samples at one rate, with the channels of `layout`."""
    resampler, from_hz, channels = None, 0, len(layout)
    nothing = np.empty((0, channels), dtype=np.float32)
    for block in blocks:
        if resampler is None or from_hz != block.sample_rate_hz:
            if resampler is not None:
                yield resampler.feed(nothing, last=True)
            from_hz = block.sample_rate_hz
            resampler = Resampler(from_hz, to_hz, channels)
        yield resampler.feed(_mixed(block, layout))
    if resampler is not None:
        yield resampler.feed(nothing, last=True)


def _mixed(block: Block, layout: tuple[str, ...]) -> Samples:
    if block.layout == layout:
        return block.samples
    if len(layout) <= 2:
        matrix = mixing(block.layout, len(layout))
        return block.samples if matrix is None else block.samples @ matrix
    mono = block.samples.mean(axis=1, dtype=np.float32)
    return np.repeat(mono[:, None], len(layout), axis=1)


def gathered(parts: Iterable[Samples]) -> Iterator[Samples]:
    """Join small parts: what takes them spends less time on each call than on its samples then."""
    waiting: list[Samples] = []
    for samples in parts:
        waiting.append(samples)
        if sum(map(len, waiting)) >= _ENOUGH:
            yield np.concatenate(waiting)
            waiting = []
    if any(map(len, waiting)):
        yield np.concatenate(waiting)
