"""Decode a file once and return counts (`decode_whole`) or measurements (`inspect`)."""

from itertools import chain
from pathlib import Path

from recall_pipeline.audio.channels import loudness_weights
from recall_pipeline.audio.decoder import Decoder
from recall_pipeline.audio.loudness import LoudnessMeter, integrated_lufs, loudness_range_lu
from recall_pipeline.audio.resample import resample_blocks
from recall_pipeline.audio.results import DecodeResult, Inspection
from recall_pipeline.audio.silence import silences, speech_ratio
from recall_pipeline.audio.true_peak import TruePeakMeter, to_db
from recall_pipeline.audio.waveform import WaveformMeter


def decode_whole(path: Path) -> DecodeResult:
    """Decode a file to its end and count what was decoded: the cheapest check that it is complete.

    Raises NotAudio if the file has no decodable audio, OSError if it cannot be read.
    """
    decoder = Decoder(path)
    for _ in decoder.frames():
        pass
    return decoder.result


def inspect(path: Path) -> Inspection:
    """Decode a file to its end and measure loudness, true peak, silences and waveform on the way.

    Loudness and true peak are those of the file as it is: its own channels, its own sample rate.
    Raises NotAudio if the file has no decodable audio, OSError if it cannot be read.
    """
    decoder = Decoder(path)
    blocks = decoder.blocks()
    first = next(blocks)
    loudness = LoudnessMeter(first.sample_rate_hz, loudness_weights(first.layout))
    true_peak, waveform = TruePeakMeter(len(first.layout)), WaveformMeter()
    for samples in resample_blocks(chain([first], blocks), first.sample_rate_hz, first.layout):
        if samples.size:
            loudness.feed(samples)
            true_peak.feed(samples)
            waveform.feed(samples)
    return _inspection(decoder.result, loudness, true_peak, waveform)


def _inspection(
    decoded: DecodeResult, loudness: LoudnessMeter, true_peak: TruePeakMeter, waveform: WaveformMeter
) -> Inspection:
    energies = loudness.hop_energies
    return Inspection(
        **{name: getattr(decoded, name) for name in DecodeResult.__slots__},
        loudness_lufs=integrated_lufs(energies),
        loudness_range_lu=loudness_range_lu(energies),
        true_peak_dbtp=to_db(true_peak.peak()),
        silences=silences(energies),
        speech_ratio=speech_ratio(energies),
        waveform=waveform.bars(),
    )
