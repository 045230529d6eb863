"""How a source is mixed: the average of its channels, except where they cancel each other out.

The first analysis pass averages. If it finds channels in opposite phase or a constant offset, a
second pass follows a revised plan.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

import numpy as np
import numpy.typing as npt

from recall_pipeline.audio.channels import Matrix, averaging_matrix, first_channel_matrix
from recall_pipeline.audio.findings import AudioFinding, AudioFindingCode
from recall_pipeline.audio.loudness import HOPS_PER_SECOND, SILENCE_LUFS, Energies, integrated_lufs, lufs_to_energy
from recall_pipeline.audio.silence import runs

Spans = tuple[tuple[int, int], ...]
"""Start and end of each span, in hops of 100 ms."""

_MIN_CANCELLATION = 10 ** (12 / 10)  # in energy; two unrelated channels lose only 6 LU
_JOINED_HOPS = 5
_MIN_SPAN_HOPS = 5
_FADE_SECONDS = 0.01
_MAX_OFFSET = 0.03  # after the gain, full scale at 1.0
_LOUD_OFFSET = 0.5  # the same: above it, a step of the offset is louder than speech
_WHOLE_FILE = 0.5


@dataclass(frozen=True, slots=True)
class MixPlan:
    """Where only the first channel is used, and whether a high-pass removes a constant offset.

    Where the offset changes by `min_step`, it is muted: the step would be louder than the speech.
    """

    uses_first_channel: bool = False
    first_channel_spans: Spans = ()
    removes_offset: bool = False
    min_step: float = inf

    def findings(self) -> Iterator[AudioFinding]:
        """Yield what was done beside averaging."""
        if self.uses_first_channel:
            words = "the channels cancel each other out when mixed, so only the first channel was used"
            yield AudioFinding(AudioFindingCode.CHANNELS_CANCEL, words)
        elif self.first_channel_spans:
            seconds = sum(end - start for start, end in self.first_channel_spans) / HOPS_PER_SECOND
            start = self.first_channel_spans[0][0] / HOPS_PER_SECOND
            words = f"the channels cancel each other out for {seconds:.0f} s, the first time at {start:.0f} s"
            yield AudioFinding(AudioFindingCode.CHANNELS_CANCEL, f"{words}: only the first channel was used there")
        if self.removes_offset:
            words = "a constant offset was removed by a high-pass: amplified, it would have used the headroom"
            yield AudioFinding(AudioFindingCode.DC_OFFSET, words)


def revised_plan(source: Energies, mix: Energies, offset: float, target_lufs: float) -> MixPlan:
    """Return the plan for a source whose first pass measured these energies per hop and this offset."""
    spans = _cancelled_spans(source, mix)
    source_lufs = integrated_lufs(source)
    if source_lufs is None:
        return MixPlan()
    floor = lufs_to_energy(SILENCE_LUFS)
    audible_hops = int(np.count_nonzero(source > floor))
    is_whole = sum(end - start for start, end in spans) > _WHOLE_FILE * audible_hops
    amplified = offset * 10 ** ((target_lufs - source_lufs) / 20)
    min_step = offset / 2 if amplified > _LOUD_OFFSET else inf
    return MixPlan(is_whole, () if is_whole else spans, amplified > _MAX_OFFSET, min_step)


def _cancelled_spans(source: Energies, mix: Energies) -> Spans:
    """Return where mixing loses most of the energy, for half a second or longer."""
    is_cancelled = (source > lufs_to_energy(SILENCE_LUFS)) & (source > _MIN_CANCELLATION * mix)
    for start, end in runs(~is_cancelled):
        if start > 0 and end < is_cancelled.size and end - start <= _JOINED_HOPS:
            is_cancelled[start:end] = True
    return tuple((start - 1, end + 1) for start, end in runs(is_cancelled) if end - start >= _MIN_SPAN_HOPS)


class Mixer:
    """Mixes samples of a layout to a number of channels, as a plan states."""

    def __init__(self, layout: tuple[str, ...], channels: int, plan: MixPlan, rate_hz: int) -> None:
        """Prepare for samples at `rate_hz`."""
        first = first_channel_matrix(layout, channels)
        self.matrix = first if plan.uses_first_channel else averaging_matrix(layout, channels)
        self._first: Matrix = first
        hop, fade = rate_hz // HOPS_PER_SECOND, _FADE_SECONDS * rate_hz
        self._edges = np.array(
            [
                at
                for start, end in plan.first_channel_spans
                for at in (start * hop, start * hop + fade, end * hop - fade, end * hop)
            ]
        )
        self._shares = np.tile([0.0, 1.0, 1.0, 0.0], len(plan.first_channel_spans))

    def mix(self, samples: npt.NDArray[np.float32], start: int) -> npt.NDArray[np.float32]:
        """Return the mix of samples, shape (frames, channels); `start` is the position of the first one."""
        if self.matrix is None:
            return samples
        average = samples @ self.matrix
        if not self._edges.size:
            return average
        share = np.interp(np.arange(start, start + len(samples)), self._edges, self._shares).astype(np.float32)[:, None]
        return np.asarray(average + share * (samples @ self._first - average))
