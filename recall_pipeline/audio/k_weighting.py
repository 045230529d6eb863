"""The K-weighting of ITU-R BS.1770-4 at any sample rate: a shelf and a high-pass, one stream.

The standard gives coefficients at 48 kHz; these are the analogue filters behind them, brought to
the rate at hand by the bilinear transform. libavfilter runs them: four times cheaper to load
than a signal processing library, and as fast.
"""

from fractions import Fraction
from math import pi, tan

import av
import av.filter
import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.decoding import USUAL_LAYOUTS, Samples, interleaved

Biquad = tuple[float, float, float, float, float]
"""b0, b1, b2, a1, a2 with a0 = 1."""


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


_UNHEARD = 1e-12
"""Added to every other sample: in digital silence the filters' memory would sink to numbers so small
that a processor takes ten times as long for each."""


class KWeighting:
    """A K-weighting filter that remembers where it was between two blocks."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        """Set up for blocks of `channels` channels at `rate_hz`."""
        self._rate_hz = rate_hz
        self._layout = USUAL_LAYOUTS[channels]  # any will do, all are filtered alike
        self._graph = av.filter.Graph()
        self._source = self._graph.add_abuffer(
            sample_rate=rate_hz,
            format="dblp",
            layout=self._layout,
            time_base=Fraction(1, rate_hz),
        )
        stages = [self._stage(shelf(rate_hz)), self._stage(high_pass(rate_hz))]
        self._sink = self._graph.add("abuffersink")
        self._graph.link_nodes(self._source, *stages, self._sink).configure()

    def filter(self, samples: Samples) -> npt.NDArray[np.float64]:
        """Filter samples; gives as many, shape (frames, channels)."""
        planes = samples.T.astype(np.float64, order="C")
        planes[:, ::2] += _UNHEARD
        frame = av.AudioFrame.from_ndarray(planes, format="dblp", layout=self._layout)
        frame.sample_rate = self._rate_hz
        self._source.push(frame)
        weighted = self._sink.pull()
        assert isinstance(weighted, av.AudioFrame)  # noqa: S101  # a sink of sound gives no other
        return interleaved(weighted)

    def _stage(self, biquad: Biquad) -> av.filter.context.FilterContext:
        values = dict(zip(("b0", "b1", "b2", "a1", "a2"), biquad, strict=True))
        options = ":".join(f"{name}={value:.17g}" for name, value in values.items())
        return self._graph.add("biquad", f"{options}:a0=1:a=tdii")
