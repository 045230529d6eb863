"""The first pass: hear a source once, measure it, and spool it as it will be written."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from recall_pipeline.audio.channels import Matrix, mixing, weights
from recall_pipeline.audio.decoder import Block, Decoding, Samples
from recall_pipeline.audio.intermediate import SILENCE_DBTP, Material
from recall_pipeline.audio.k_weighting import KWeighting
from recall_pipeline.audio.loudness import (
    HOPS_A_SECOND,
    Energies,
    Framer,
    Series,
    mean_squares,
)
from recall_pipeline.audio.resample import conform, gathered
from recall_pipeline.audio.results import Proof
from recall_pipeline.audio.target import Target
from recall_pipeline.audio.true_peak import TruePeakMeter, to_db
from recall_pipeline.audio.waveform import WaveformMeter


@dataclass(frozen=True, slots=True)
class Source:
    """What was heard: energies of 100 ms over the source's own channels, at the output's rate."""

    proof: Proof
    energies: Energies
    true_peak_db: float | None
    waveform: tuple[float, ...]


def material_for(target: Target, folder: Path) -> Material:
    """Empty material that spools beside the output."""
    hop_samples = target.sample_rate_hz // HOPS_A_SECOND
    hop_blocks = 100 if hop_samples % 100 == 0 else 105  # 22.05 and 44.1 kHz divide by 105 only
    return Material(folder, target.channels, hop_samples // hop_blocks, hop_blocks)


Mixing = Callable[[tuple[str, ...], int], Matrix | None]
"""From a layout and a number of channels to a matrix, None when nothing has to be mixed."""


def listen(path: Path, material: Material, rate_hz: int, mix: Mixing = mixing) -> Source:
    """Decode a source into `material`; raises NotAudio when there is no sound in it."""
    decoding = Decoding(path)
    blocks = decoding.blocks()
    first = next(blocks)
    ears = _SourceMeter(first)
    desk = _MixWriter(first.layout, material, rate_hz, mix)
    heard = (ears.hear(block) for block in chain([first], blocks))
    for samples in gathered(conform(heard, rate_hz, first.layout)):
        desk.take(samples)
    material.hops = desk.mixed_energies.values
    true_peak_db = to_db(desk.true_peak.peak())
    material.true_peak_db = SILENCE_DBTP if true_peak_db is None else true_peak_db
    return Source(
        proof=decoding.proof,
        energies=desk.source_energies.values,
        true_peak_db=to_db(ears.true_peak.peak()),
        waveform=ears.waveform.bars(),
    )


class _SourceMeter:
    """Watches the source as it is decoded."""

    def __init__(self, first: Block) -> None:
        self._layout = first.layout
        self.true_peak = TruePeakMeter(len(first.layout))
        self.waveform = WaveformMeter()

    def hear(self, block: Block) -> Block:
        self.waveform.feed(block.samples)
        if block.layout == self._layout:
            self.true_peak.feed(block.samples)
        return block


class _MixWriter:
    """Mixes what was resampled, and spools and measures the mix.

    K-weighting is linear: the weighted mix is the mix of the weighted channels, so the source's
    channels are filtered once for both loudnesses.
    """

    def __init__(self, layout: tuple[str, ...], material: Material, rate_hz: int, mix: Mixing) -> None:
        self._material = material
        self._matrix = mix(layout, material.channels)
        self._weights = np.array(weights(layout))
        self._weighting = KWeighting(rate_hz, len(layout))
        self._blocks = Framer(material.block_samples)
        self._hops = Framer(material.hop_blocks)
        self._shares = np.full(material.hop_blocks, 1 / material.hop_blocks)
        self.true_peak = TruePeakMeter(material.channels)
        self.source_energies = Series()
        self.mixed_energies = Series()

    def take(self, samples: Samples) -> None:
        mixed = samples if self._matrix is None else samples @ self._matrix
        self._material.sound.append(mixed)
        self.true_peak.feed(mixed)
        self._weigh(self._blocks.feed(self._weighting.filter(samples)))

    def _weigh(self, blocks: Energies) -> None:
        source = mean_squares(blocks) @ self._weights
        mixed = source if self._matrix is None else mean_squares(blocks @ self._matrix).sum(axis=1)
        self._material.energies.append(mixed[:, None])
        hops = self._shares @ self._hops.feed(np.stack([source, mixed], axis=1))
        self.source_energies.extend(hops[:, 0])
        self.mixed_energies.extend(hops[:, 1])
