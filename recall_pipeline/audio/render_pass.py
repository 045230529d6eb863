"""The second pass: encode at a level, decode what was written, and measure that."""

import contextlib
import zlib
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from av.error import FFmpegError

from recall_pipeline.audio.channels import weights
from recall_pipeline.audio.decoder import Decoding, Samples, interleaved
from recall_pipeline.audio.encoder import FULL_SCALE, Frames16, open_encoder
from recall_pipeline.audio.gain import Level, leveled, lufs_at
from recall_pipeline.audio.intermediate import SILENCE_DBTP, Material
from recall_pipeline.audio.loudness import LoudnessMeter, integrated_lufs
from recall_pipeline.audio.target import Target
from recall_pipeline.audio.true_peak import TruePeakMeter, to_db
from recall_pipeline.errors import NormalizationError, NotAudio


@dataclass(frozen=True, slots=True)
class Written:
    """A file at a level, and what decoding it gave."""

    level: Level
    samples: int
    lufs: float | None
    true_peak_db: float | None


class _Meter:
    """Loudness and true peak of what is, or will be, decoded."""

    def __init__(self, rate_hz: int, channel_weights: tuple[float, ...]) -> None:
        self._loudness = LoudnessMeter(rate_hz, channel_weights)
        self._true_peak = TruePeakMeter(len(channel_weights))

    def feed(self, samples: Samples) -> None:
        self._loudness.feed(samples)
        self._true_peak.feed(samples)

    def read(self, level: Level, samples: int) -> Written:
        lufs = integrated_lufs(self._loudness.energies)
        return Written(level, samples, lufs, to_db(self._true_peak.peak()))


def write(material: Material, target: Target, path: Path, level: Level) -> Written:
    """Encode `material` at `level` to `path` and tell what a decoder finds in it.

    A lossless file gives back every sample that was encoded, which is proven; so what was measured
    of those samples holds for it. A lossy file is measured as it decodes. Raises NormalizationError
    when encoding fails, or decoding what was encoded.
    """
    try:
        return (_write_lossless if target.is_lossless else _write_lossy)(material, target, path, level)
    except (RuntimeError, FFmpegError, NotAudio) as error:
        raise NormalizationError(f"{path.name} could not be written as {target.format}: {error}") from error


def _write_lossless(material: Material, target: Target, path: Path, level: Level) -> Written:
    meter = _Meter(target.sample_rate_hz, (1.0,) * target.channels) if level.limiter else None
    checksum = 0
    with contextlib.closing(open_encoder(path, target)) as encoder:
        for samples in leveled(material, level):
            frames = _quantized(samples, FULL_SCALE)
            encoder.write(frames)
            checksum = zlib.crc32(frames.data, checksum)
            if meter is not None:
                meter.feed(np.multiply(frames, np.float32(1 / FULL_SCALE), dtype=np.float32))
    _prove_equal(path, material.sound.rows, checksum)
    if meter is not None:
        return meter.read(level, material.sound.rows)
    # A gain alone moves every energy and peak by just as much; measuring again would tell nothing.
    lufs = None if material.is_silent else lufs_at(material, level)
    return Written(level, material.sound.rows, lufs, _moved_peak_db(material, level))


def _write_lossy(material: Material, target: Target, path: Path, level: Level) -> Written:
    encoder = open_encoder(path, target)
    with contextlib.closing(encoder):
        for samples in leveled(material, level):
            encoder.write(_quantized(samples, FULL_SCALE * encoder.gain))
    blocks = Decoding(path).blocks()
    first = next(blocks)
    meter = _Meter(first.sample_rate_hz, weights(first.layout))
    for block in chain([first], blocks):
        meter.feed(block.samples)
    return meter.read(level, material.sound.rows)


def _quantized(samples: Samples, scale: float) -> Frames16:
    scaled = np.rint(np.multiply(samples, np.float32(scale), out=samples), out=samples)
    return np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1, out=scaled).astype(np.int16)


def _prove_equal(path: Path, samples: int, checksum: int) -> None:
    decoded, found = 0, 0
    for chunk in Decoding(path).chunks():
        frames = np.ascontiguousarray(interleaved(chunk))
        decoded, found = decoded + len(frames), zlib.crc32(frames.data, found)
    if (decoded, found) != (samples, checksum):
        raise NormalizationError(
            f"{path.name} does not decode to the {samples} samples that were encoded"
            f" (it gives {decoded}): the disk or the encoder is at fault"
        )


def _moved_peak_db(material: Material, level: Level) -> float | None:
    return None if material.true_peak_db == SILENCE_DBTP else material.true_peak_db + level.gain_db
