"""The analysis pass: decode a source once, measure it, and store it as an intermediate."""

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from recall_pipeline.audio.channels import loudness_weights
from recall_pipeline.audio.decoder import Block, Decoder, Samples
from recall_pipeline.audio.findings import AudioFinding
from recall_pipeline.audio.intermediate import SILENCE_DBTP, Intermediate
from recall_pipeline.audio.k_weighting import KWeighting
from recall_pipeline.audio.loudness import (
    HOPS_PER_SECOND,
    Energies,
    FloatBuffer,
    Framer,
    mean_squares,
)
from recall_pipeline.audio.mix_plan import Mixer, MixPlan
from recall_pipeline.audio.offset_removal import OffsetRemoval
from recall_pipeline.audio.resample import join_parts, resample_blocks
from recall_pipeline.audio.results import DecodeResult
from recall_pipeline.audio.target import Target
from recall_pipeline.audio.true_peak import TruePeakMeter, to_db
from recall_pipeline.audio.waveform import WaveformMeter

_AVERAGE = MixPlan()


@dataclass(frozen=True, slots=True)
class SourceAnalysis:
    """Measurements of a source: `hop_energies` per 100 ms over its own channels, at the output's sample rate.

    `offset` is the largest mean of some seconds of the mix, full scale at 1.0.
    """

    decode_result: DecodeResult
    hop_energies: Energies
    true_peak_dbtp: float | None
    waveform: tuple[float, ...]
    offset: float
    burst_finding: AudioFinding | None


def open_intermediate(target: Target, folder: Path) -> Intermediate:
    """Return an empty intermediate for this target, with its files in `folder`."""
    samples_per_hop = target.sample_rate_hz // HOPS_PER_SECOND
    blocks_per_hop = 100 if samples_per_hop % 100 == 0 else 105  # 22.05 and 44.1 kHz divide by 105 only
    return Intermediate(folder, target.channels, samples_per_hop // blocks_per_hop, blocks_per_hop)


def analyze(path: Path, intermediate: Intermediate, rate_hz: int, plan: MixPlan = _AVERAGE) -> SourceAnalysis:
    """Decode a source into `intermediate` and measure both.

    Raises NotAudio if the file has no decodable audio, OSError if it cannot be read.
    """
    decoder = Decoder(path)
    blocks = decoder.blocks()
    first = next(blocks)
    source_meter = _SourceMeter(first)
    mix_writer = _MixWriter(first.layout, intermediate, rate_hz, plan)
    measured = (source_meter.measure(block) for block in chain([first], blocks))
    for samples in join_parts(resample_blocks(measured, rate_hz, first.layout)):
        mix_writer.append(samples)
    intermediate.hop_energies = mix_writer.mix_energies.values
    true_peak_dbtp = to_db(mix_writer.true_peak.peak())
    intermediate.true_peak_dbtp = SILENCE_DBTP if true_peak_dbtp is None else true_peak_dbtp
    return SourceAnalysis(
        decode_result=decoder.result,
        hop_energies=mix_writer.source_energies.values,
        true_peak_dbtp=to_db(source_meter.true_peak.peak()),
        waveform=source_meter.waveform.bars(),
        offset=mix_writer.offset,
        burst_finding=decoder.burst_finding,
    )


class _SourceMeter:
    """Measures true peak and waveform of the source as it is decoded."""

    def __init__(self, first: Block) -> None:
        self._layout = first.layout
        self.true_peak = TruePeakMeter(len(first.layout))
        self.waveform = WaveformMeter()

    def measure(self, block: Block) -> Block:
        self.waveform.feed(block.samples)
        if block.layout == self._layout:
            self.true_peak.feed(block.samples)
        return block


class _MixWriter:
    """Mixes resampled audio, writes the mix into the intermediate, and measures it.

    K-weighting is linear: the weighted mix is the mix of the weighted channels. So the source's
    channels are filtered once for both loudnesses.
    """

    def __init__(self, layout: tuple[str, ...], intermediate: Intermediate, rate_hz: int, plan: MixPlan) -> None:
        self._intermediate = intermediate
        self._mixer = Mixer(layout, intermediate.channels, plan, rate_hz)
        self._offset_removal = OffsetRemoval(rate_hz, len(layout), plan.min_step) if plan.removes_offset else None
        self._weights = np.array(loudness_weights(layout))
        self._weighting = KWeighting(rate_hz, len(layout))
        self._weighted_samples = 0
        self._blocks = Framer(intermediate.samples_per_block)
        self._hops = Framer(intermediate.blocks_per_hop)
        self._hop_mean = np.full(intermediate.blocks_per_hop, 1 / intermediate.blocks_per_hop)
        self.offset = 0.0
        self.true_peak = TruePeakMeter(intermediate.channels)
        self.source_energies = FloatBuffer()
        self.mix_energies = FloatBuffer()

    def append(self, samples: Samples) -> None:
        if self._offset_removal is not None:
            samples = self._offset_removal.filter(samples)
        mix = self._mixer.mix(samples, self._intermediate.samples.rows)
        self.offset = max(self.offset, float(np.abs(mix.mean(axis=0)).max()))
        self._intermediate.samples.append(mix)
        self.true_peak.feed(mix)
        self._append_energies(self._blocks.feed(self._weighting.filter(samples)))

    def _append_energies(self, blocks: Energies) -> None:
        source = mean_squares(blocks) @ self._weights
        mix = source if self._mixer.matrix is None else mean_squares(self._mixed(blocks)).sum(axis=1)
        self._intermediate.block_energies.append(mix[:, None])
        hops = self._hop_mean @ self._hops.feed(np.stack([source, mix], axis=1))
        self.source_energies.extend(hops[:, 0])
        self.mix_energies.extend(hops[:, 1])

    def _mixed(self, blocks: Energies) -> Energies:
        samples = blocks.reshape(-1, blocks.shape[2])
        mix = self._mixer.mix(samples, self._weighted_samples)
        self._weighted_samples += len(samples)
        return mix.reshape(*blocks.shape[:2], -1)
