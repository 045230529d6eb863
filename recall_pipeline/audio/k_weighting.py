"""The K-weighting of ITU-R BS.1770-4 at any sample rate: a shelf and a high-pass, one stream.

The standard gives coefficients at 48 kHz; these are the analogue filters behind them, brought to
the rate at hand by the bilinear transform. Sample by sample, a recursive filter waits for each result
before it can begin the next. Here the sound is cut into rows: one matrix gives what a row makes of
itself, another what the four numbers of memory add to it. That takes less than half the time.
"""

from collections.abc import Iterator
from math import pi, tan
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.decoder import Samples

Biquad = tuple[float, float, float, float, float]
"""b0, b1, b2, a1, a2 with a0 = 1."""

_Matrix = npt.NDArray[np.float64]
_Floats = npt.NDArray[np.float32]

_ROW = 64
_MOST_DOUBLINGS = 40
_SPENT = 1e-20
"""Memory below it is dropped: fading on in digital silence it would sink to numbers so small that a
processor takes ten times as long for each."""


def shelf(rate_hz: int) -> Biquad:
    """Stage 1 of BS.1770-4: +4 dB above about 1.7 kHz, the head's own effect."""
    k, q = tan(pi * 1681.974450955533 / rate_hz), 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    a0 = 1 + k / q + k * k
    return (
        (high + band * k / q + k * k) / a0,
        2 * (k * k - high) / a0,
        (high - band * k / q + k * k) / a0,
        2 * (k * k - 1) / a0,
        (1 - k / q + k * k) / a0,
    )


def high_pass(rate_hz: int) -> Biquad:
    """Stage 2 of BS.1770-4: what lies below 38 Hz is hardly heard."""
    k, q = tan(pi * 38.13547087602444 / rate_hz), 0.5003270373238773
    a0 = 1 + k / q + k * k
    return 1.0, -2.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0


class KWeighting:
    """A K-weighting filter that remembers where it was between two blocks."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        """Set up for blocks of `channels` channels at `rate_hz`."""
        system = _balanced(_chained(_system(shelf(rate_hz)), _system(high_pass(rate_hz))))
        powers = [np.linalg.matrix_power(system.a, n) for n in range(_ROW + 1)]
        self._kept = _as_floats(np.stack([system.b @ powers[_ROW - 1 - at] for at in range(_ROW)]))
        self._recalled = _as_floats(np.stack([power @ system.c for power in powers[:_ROW]], axis=1))
        self._response = _as_floats(
            _toeplitz([system.d, *(system.b @ power @ system.c for power in powers[: _ROW - 1])])
        )
        self._powers = [_as_floats(power) for power in powers]
        self._doublings = list(_doublings(powers[_ROW]))
        self._memory = np.zeros((channels, len(system.b)), dtype=np.float32)

    def filter(self, samples: Samples) -> Samples:
        """Filter samples; gives as many, shape (frames, channels)."""
        whole = len(samples) - len(samples) % _ROW
        weighted = np.empty(samples.shape, dtype=np.float32)
        for channel, wave in enumerate(np.ascontiguousarray(samples.T)):
            if whole:
                weighted[:whole, channel] = self._filter_rows(channel, wave[:whole].reshape(-1, _ROW))
            if whole < wave.size:
                weighted[whole:, channel] = self._filter_rows(channel, wave[None, whole:])
        return weighted

    def _filter_rows(self, channel: int, rows: _Floats) -> _Floats:
        """Filter rows of _ROW samples, or a single shorter one."""
        size = rows.shape[1]
        memory = np.concatenate([self._memory[channel, None], rows @ self._kept[_ROW - size :]])
        memory[1] += memory[0] @ self._powers[size]
        # Each row's memory reaches all rows behind it: added over one row, then two, four, so that few steps do.
        for doubling, power in enumerate(self._doublings):
            step = 2**doubling
            memory[1 + step :] += memory[1:-step] @ power
        self._memory[channel] = np.where(np.abs(memory[-1]) < _SPENT, 0, memory[-1])
        weighted = rows @ self._response[:size, :size]
        weighted += memory[:-1] @ self._recalled[:, :size]
        return weighted.ravel()


class _System(NamedTuple):
    """A filter with memory m that makes y of u: y = m c + u d, and then m = m a + u b."""

    a: _Matrix
    b: _Matrix
    c: _Matrix
    d: float


def _system(biquad: Biquad) -> _System:
    """A biquad in transposed direct form II."""
    b0, b1, b2, a1, a2 = biquad
    return _System(np.array([[-a1, -a2], [1.0, 0.0]]), np.array([b1 - a1 * b0, b2 - a2 * b0]), np.array([1.0, 0.0]), b0)


def _chained(first: _System, second: _System) -> _System:
    """One filter behind the other."""
    return _System(
        np.block([[first.a, np.outer(first.c, second.b)], [np.zeros((2, 2)), second.a]]),
        np.concatenate([first.b, first.d * second.b]),
        np.concatenate([first.c * second.d, second.c]),
        first.d * second.d,
    )


def _balanced(system: _System) -> _System:
    """The same filter, its memory in numbers of like size that do not cancel each other out.

    Single precision is enough then; a direct form's would lose the high-pass, whose poles lie near 1.
    """
    reach, power = np.outer(system.b, system.b), system.a
    for _ in range(_MOST_DOUBLINGS):
        reach, power = reach + power.T @ reach @ power, power @ power
    into = np.linalg.inv(np.linalg.cholesky(reach).T)
    back = np.linalg.inv(into)
    return _System(back @ system.a @ into, system.b @ into, back @ system.c, system.d)


def _toeplitz(response: list[float]) -> _Matrix:
    """What each sample of a row adds to itself and those behind it, shape (inputs, outputs)."""
    size = len(response)
    padded = np.concatenate([np.zeros(size - 1), response])
    return np.stack([padded[size - 1 - at : 2 * size - 1 - at] for at in range(size)])


def _doublings(power: _Matrix) -> Iterator[_Floats]:
    """What becomes of memory over one row, two, four and so on, until nothing is left of it."""
    while np.abs(power).max() > _SPENT:
        yield _as_floats(power)
        power = power @ power


def _as_floats(values: _Matrix) -> _Floats:
    return values.astype(np.float32)
