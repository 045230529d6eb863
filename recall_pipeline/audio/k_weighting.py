"""K-weighting filter of ITU-R BS.1770-4 at any sample rate: a shelf and a high-pass in series.

The standard gives coefficients at 48 kHz. These are the analogue filters behind them, converted to
other rates by the bilinear transform. A recursive filter has to finish each sample before the next.
Here the audio is cut into rows instead: one matrix gives a row's response to its own samples, another
its response to the filter's state of four numbers. That takes less than half the time.
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

_ROW_SAMPLES = 64
_MAX_DOUBLINGS = 40
_NEGLIGIBLE = 1e-20
"""State below this is set to zero. In digital silence it would decay into denormal numbers, ten times as slow."""


def shelf(rate_hz: int) -> Biquad:
    """Return stage 1 of BS.1770-4: +4 dB above about 1.7 kHz, the acoustic effect of the head."""
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


def high_pass(rate_hz: int, hz: float = 38.13547087602444) -> Biquad:
    """Return stage 2 of BS.1770-4: a high-pass at 38 Hz, or at another frequency."""
    k, q = tan(pi * hz / rate_hz), 0.5003270373238773
    a0 = 1 + k / q + k * k
    return 1.0, -2.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0


class RowFilter:
    """A recursive filter that keeps its state between blocks."""

    def __init__(self, system: "_System", channels: int) -> None:
        """Start a stream of `channels` channels."""
        powers = [np.linalg.matrix_power(system.a, n) for n in range(_ROW_SAMPLES + 1)]
        self._input_to_state = _as_floats(np.stack([system.b @ power for power in powers[_ROW_SAMPLES - 1 :: -1]]))
        self._state_to_output = _as_floats(np.stack([power @ system.c for power in powers[:_ROW_SAMPLES]], axis=1))
        self._impulse_response = _as_floats(
            _toeplitz([system.d, *(system.b @ power @ system.c for power in powers[: _ROW_SAMPLES - 1])])
        )
        self._powers = [_as_floats(power) for power in powers]
        self._doublings = list(_doublings(powers[_ROW_SAMPLES]))
        self._state = np.zeros((channels, len(system.b)), dtype=np.float32)

    def filter(self, samples: Samples) -> Samples:
        """Filter samples, shape (frames, channels); return the same shape."""
        whole = len(samples) - len(samples) % _ROW_SAMPLES
        weighted = np.empty(samples.shape, dtype=np.float32)
        for channel, wave in enumerate(np.ascontiguousarray(samples.T)):
            if whole:
                weighted[:whole, channel] = self._filter_rows(channel, wave[:whole].reshape(-1, _ROW_SAMPLES))
            if whole < wave.size:
                weighted[whole:, channel] = self._filter_rows(channel, wave[None, whole:])
        return weighted

    def _filter_rows(self, channel: int, rows: _Floats) -> _Floats:
        """Filter rows of _ROW_SAMPLES samples, or one shorter row; return the samples in one dimension."""
        size = rows.shape[1]
        state = np.concatenate([self._state[channel, None], rows @ self._input_to_state[_ROW_SAMPLES - size :]])
        state[1] += state[0] @ self._powers[size]
        # Each row's state affects all later rows. Doubling the distance takes few steps: one row, two, four...
        for doubling, power in enumerate(self._doublings):
            step = 2**doubling
            state[1 + step :] += state[1:-step] @ power
        self._state[channel] = np.where(np.abs(state[-1]) < _NEGLIGIBLE, 0, state[-1])
        weighted = rows @ self._impulse_response[:size, :size]
        weighted += state[:-1] @ self._state_to_output[:, :size]
        return weighted.ravel()


class HighPass(RowFilter):
    """A high-pass of second order at any frequency."""

    def __init__(self, rate_hz: int, channels: int, hz: float) -> None:
        """Start a stream of `channels` channels at `rate_hz`."""
        super().__init__(_balanced(_system(high_pass(rate_hz, hz))), channels)


class KWeighting(RowFilter):
    """A K-weighting filter."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        """Start a stream of `channels` channels at `rate_hz`."""
        super().__init__(_balanced(_in_series(_system(shelf(rate_hz)), _system(high_pass(rate_hz)))), channels)


class _System(NamedTuple):
    """State space form of a filter with input u, output y, state m: y = m c + u d, then m = m a + u b."""

    a: _Matrix
    b: _Matrix
    c: _Matrix
    d: float


def _system(biquad: Biquad) -> _System:
    """Return a biquad in transposed direct form II."""
    b0, b1, b2, a1, a2 = biquad
    return _System(np.array([[-a1, -a2], [1.0, 0.0]]), np.array([b1 - a1 * b0, b2 - a2 * b0]), np.array([1.0, 0.0]), b0)


def _in_series(first: _System, second: _System) -> _System:
    """Return the two filters in series."""
    return _System(
        np.block([[first.a, np.outer(first.c, second.b)], [np.zeros((2, 2)), second.a]]),
        np.concatenate([first.b, first.d * second.b]),
        np.concatenate([first.c * second.d, second.c]),
        first.d * second.d,
    )


def _balanced(system: _System) -> _System:
    """Return the same filter with a state of similar magnitudes, by its Gramian.

    Single precision is enough for it. In a direct form it is not: the high-pass has poles near 1.
    """
    gramian, power = np.outer(system.b, system.b), system.a
    for _ in range(_MAX_DOUBLINGS):
        gramian, power = gramian + power.T @ gramian @ power, power @ power
    to_balanced = np.linalg.inv(np.linalg.cholesky(gramian).T)
    from_balanced = np.linalg.inv(to_balanced)
    return _System(from_balanced @ system.a @ to_balanced, system.b @ to_balanced, from_balanced @ system.c, system.d)


def _toeplitz(response: list[float]) -> _Matrix:
    """Return the response of a row to its own samples, shape (inputs, outputs)."""
    size = len(response)
    padded = np.concatenate([np.zeros(size - 1), response])
    return np.stack([padded[size - 1 - at : 2 * size - 1 - at] for at in range(size)])


def _doublings(power: _Matrix) -> Iterator[_Floats]:
    """Yield the transition of the state over one row, two, four and so on, until it is negligible."""
    while np.abs(power).max() > _NEGLIGIBLE:
        yield _as_floats(power)
        power = power @ power


def _as_floats(values: _Matrix) -> _Floats:
    return values.astype(np.float32)
