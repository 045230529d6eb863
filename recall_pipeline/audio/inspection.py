"""Listen to a file once and tell what it holds."""

from itertools import chain
from pathlib import Path

from recall_pipeline.audio.channels import weights
from recall_pipeline.audio.decoder import Decoding
from recall_pipeline.audio.loudness import LoudnessMeter, integrated_lufs, range_lu
from recall_pipeline.audio.resample import conform
from recall_pipeline.audio.results import Inspection, Proof
from recall_pipeline.audio.silence import silences, speech_ratio
from recall_pipeline.audio.true_peak import TruePeakMeter, to_db
from recall_pipeline.audio.waveform import WaveformMeter


def prove(path: Path) -> Proof:
    """Decode a file to its end and count what came out: the cheapest proof that it is whole.

    Raises NotAudio when there is no sound in it, OSError when it cannot be read.
    """
    decoding = Decoding(path)
    for _ in decoding.frames():
        pass
    return decoding.proof


def inspect(path: Path) -> Inspection:
    """Prove a file and measure everything that can be heard in it, in one decode.

    Loudness and true peak are those of the file as it is: its own channels, its own rate.
    Raises NotAudio when there is no sound in it, OSError when it cannot be read.
    """
    decoding = Decoding(path)
    blocks = decoding.blocks()
    first = next(blocks)
    loudness = LoudnessMeter(first.sample_rate_hz, weights(first.layout))
    true_peak, waveform = TruePeakMeter(len(first.layout)), WaveformMeter()
    for samples in conform(chain([first], blocks), first.sample_rate_hz, first.layout):
        if samples.size:
            loudness.feed(samples)
            true_peak.feed(samples)
            waveform.feed(samples)
    return _inspection(decoding.proof, loudness, true_peak, waveform)


def _inspection(proof: Proof, loudness: LoudnessMeter, true_peak: TruePeakMeter, waveform: WaveformMeter) -> Inspection:
    energies = loudness.energies
    return Inspection(
        **{name: getattr(proof, name) for name in Proof.__slots__},
        loudness_lufs=integrated_lufs(energies),
        loudness_range_lu=range_lu(energies),
        true_peak_dbtp=to_db(true_peak.peak()),
        silences=silences(energies),
        speech_ratio=speech_ratio(energies),
        waveform=waveform.bars(),
    )
