"""The render pass: apply a gain plan, encode, decode the output again, and measure it."""

import contextlib
import zlib
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from av.error import FFmpegError

from recall_pipeline.audio.channels import loudness_weights
from recall_pipeline.audio.decoder import Decoder, Samples, interleaved
from recall_pipeline.audio.encoder import FULL_SCALE, Int16Frames, open_encoder
from recall_pipeline.audio.gain import GainPlan, apply_gain, predicted_lufs
from recall_pipeline.audio.intermediate import SILENCE_DBTP, Intermediate
from recall_pipeline.audio.loudness import LoudnessMeter, integrated_lufs
from recall_pipeline.audio.peaks import PeakMeter
from recall_pipeline.audio.results import Peaks
from recall_pipeline.audio.target import Target
from recall_pipeline.audio.true_peak import TruePeakMeter, to_db
from recall_pipeline.errors import NormalizationError, NotAudio


@dataclass(frozen=True, slots=True)
class Rendered:
    """An encoded file: the plan applied, samples per channel, loudness and true peak of its decode, and its peaks."""

    plan: GainPlan
    samples: int
    lufs: float | None
    true_peak_dbtp: float | None
    peaks: Peaks


class _OutputMeter:
    """Measures loudness and true peak of the output's decoded samples."""

    def __init__(self, rate_hz: int, channel_weights: tuple[float, ...]) -> None:
        self._loudness = LoudnessMeter(rate_hz, channel_weights)
        self._true_peak = TruePeakMeter(len(channel_weights))

    def feed(self, samples: Samples) -> None:
        self._loudness.feed(samples)
        self._true_peak.feed(samples)

    def result(self, plan: GainPlan, samples: int, peaks: Peaks) -> Rendered:
        lufs = integrated_lufs(self._loudness.hop_energies)
        return Rendered(plan, samples, lufs, to_db(self._true_peak.peak()), peaks)


def render(intermediate: Intermediate, target: Target, path: Path, plan: GainPlan) -> Rendered:
    """Apply `plan`, encode the result to `path`, and measure what it decodes to.

    A lossless file is checked to decode to exactly the encoded samples, so their measurements are
    the file's. A lossy file is measured as it decodes. Raises NormalizationError if the file cannot
    be encoded, does not decode, or decodes to other samples.
    """
    try:
        return (_render_lossless if target.is_lossless else _render_lossy)(intermediate, target, path, plan)
    except (RuntimeError, FFmpegError, NotAudio) as error:
        raise NormalizationError(f"{path.name} could not be written as {target.format}: {error}") from error


def _render_lossless(intermediate: Intermediate, target: Target, path: Path, plan: GainPlan) -> Rendered:
    meter = _OutputMeter(target.sample_rate_hz, (1.0,) * target.channels) if plan.limiter else None
    checksum, peak, peak_meter = 0, 0, PeakMeter(intermediate.samples.rows, target.sample_rate_hz)
    with contextlib.closing(open_encoder(path, target)) as encoder:
        for samples in peak_meter.measured(apply_gain(intermediate, plan)):
            frames = _to_int16(samples, FULL_SCALE)
            encoder.write(frames)
            checksum = zlib.crc32(frames.data, checksum)
            peak = max(peak, int(frames.max()), -int(frames.min()))
            if meter is not None:
                meter.feed(np.multiply(frames, np.float32(1 / FULL_SCALE), dtype=np.float32))
    _check_decoded_samples(path, intermediate.samples.rows, checksum)
    if meter is not None:
        return meter.result(plan, intermediate.samples.rows, peak_meter.peaks())
    # A gain alone shifts all energies and peaks by the same amount, so measuring again is not needed.
    lufs = None if intermediate.is_silent else predicted_lufs(intermediate, plan)
    # Rounding near-silence to 16 bits can raise its peaks.
    true_peaks = (_predicted_true_peak_dbtp(intermediate, plan), to_db(peak / FULL_SCALE))
    true_peak_dbtp = max((level for level in true_peaks if level is not None), default=None)
    return Rendered(plan, intermediate.samples.rows, lufs, true_peak_dbtp, peak_meter.peaks())


def _render_lossy(intermediate: Intermediate, target: Target, path: Path, plan: GainPlan) -> Rendered:
    encoder, peak_meter = open_encoder(path, target), PeakMeter(intermediate.samples.rows, target.sample_rate_hz)
    with contextlib.closing(encoder):
        for samples in peak_meter.measured(apply_gain(intermediate, plan)):
            encoder.write(_to_int16(samples, FULL_SCALE * encoder.input_gain))
    blocks = Decoder(path).blocks()
    first = next(blocks)
    meter = _OutputMeter(first.sample_rate_hz, loudness_weights(first.layout))
    for block in chain([first], blocks):
        meter.feed(block.samples)
    return meter.result(plan, intermediate.samples.rows, peak_meter.peaks())


def _to_int16(samples: Samples, scale: float) -> Int16Frames:
    scaled = np.rint(np.multiply(samples, np.float32(scale), out=samples), out=samples)
    return np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1, out=scaled).astype(np.int16)


def _check_decoded_samples(path: Path, samples: int, checksum: int) -> None:
    decoded_samples, decoded_checksum = 0, 0
    for chunk in Decoder(path).chunks():
        frames = np.ascontiguousarray(interleaved(chunk))
        decoded_samples += len(frames)
        decoded_checksum = zlib.crc32(frames.data, decoded_checksum)
    if (decoded_samples, decoded_checksum) != (samples, checksum):
        raise NormalizationError(
            f"{path.name} does not decode to the {samples} samples that were encoded"
            f" (it decodes to {decoded_samples}): check the disk and the encoder library"
        )


def _predicted_true_peak_dbtp(intermediate: Intermediate, plan: GainPlan) -> float | None:
    return None if intermediate.true_peak_dbtp == SILENCE_DBTP else intermediate.true_peak_dbtp + plan.gain_db
