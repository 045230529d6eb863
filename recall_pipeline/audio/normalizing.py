"""Bring a recording to the target: two passes, a proof, and one correction if it misses."""

import contextlib
import hashlib
import os
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from recall_pipeline.audio.channels import mixing, weights
from recall_pipeline.audio.conforming import conform
from recall_pipeline.audio.decoding import Decoding, Samples
from recall_pipeline.audio.encoding import FULL_SCALE, LAME_SCALE, Frames16, open_encoder
from recall_pipeline.audio.facts import Normalized, Proof
from recall_pipeline.audio.k_weighting import KWeighting
from recall_pipeline.audio.leveling import Level, Material, leveled, solve
from recall_pipeline.audio.loudness import (
    HOPS_A_SECOND,
    Energies,
    HopEnergies,
    LoudnessMeter,
    integrated_lufs,
    range_lu,
)
from recall_pipeline.audio.silence import silences, speech_ratio
from recall_pipeline.audio.spool import Spool
from recall_pipeline.audio.target import Target
from recall_pipeline.audio.true_peak import TruePeakMeter, to_db
from recall_pipeline.audio.waveform import WaveformMeter
from recall_pipeline.errors import NormalizationError

_LOSSY_HEADROOM_DB = {"mp3": 0.3, "opus": 1.0}
_HEADROOM_DB = 0.1  # what the limiter's own peaks may be off
_CLOSE_LU = 0.1


@dataclass(frozen=True, slots=True)
class _Source:
    proof: Proof
    energies: Energies
    true_peak_db: float | None
    waveform: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Written:
    level: Level
    samples: int
    lufs: float | None
    true_peak_db: float | None


def normalize(source: Path, destination: Path, target: Target) -> Normalized:
    """Write `source` to `destination` as the target asks, and prove it by decoding it.

    The destination appears whole or not at all, readable by its owner only; the source is left
    as it is. Raises NotAudio when there is no sound in the source, NormalizationError when the
    encoder fails or does not give back what it was given, OSError when a file cannot be used.
    """
    with _beside(destination) as partial, contextlib.ExitStack() as stack:
        sound = stack.enter_context(contextlib.closing(Spool(partial.parent, target.channels)))
        energies = stack.enter_context(contextlib.closing(Spool(partial.parent, 1)))
        heard, material = _listen(source, target, sound, energies)
        written = _write(material, target, partial, _first_level(material, target))
        written = _corrected(material, target, partial, written)
        result = _facts(heard, material, target, partial, written)
        os.replace(partial, destination)  # noqa: PTH105
        if material.peaks is not None:
            material.peaks.close()
        return result


@contextlib.contextmanager
def _beside(destination: Path) -> Iterator[Path]:
    handle, name = tempfile.mkstemp(".partial", f".{destination.name}.", destination.parent)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _listen(
    source: Path, target: Target, sound: Spool, energies: Spool
) -> tuple[_Source, Material]:
    """First pass: spool the sound as it will be written, and measure it."""
    decoding = Decoding(source)
    blocks = decoding.blocks()
    first = next(blocks)
    rate_hz, hop = target.sample_rate_hz, target.sample_rate_hz // HOPS_A_SECOND
    block = hop // (105 if hop % 100 else 100)
    weighting = KWeighting(rate_hz, len(first.layout))
    source_peak, output_peak = TruePeakMeter(len(first.layout)), TruePeakMeter(target.channels)
    waveform, source_hops, fine = WaveformMeter(), HopEnergies(hop), HopEnergies(block)
    matrix = mixing(first.layout, target.channels)
    channel_weights = np.array(weights(first.layout))

    def watched() -> Iterator[object]:
        for each in chain([first], blocks):
            if each.layout == first.layout:
                source_peak.feed(each.samples)
            waveform.feed(each.samples)
            yield each

    for samples in conform(watched(), rate_hz, first.layout):  # type: ignore[arg-type]
        if not samples.size:
            continue
        weighted = weighting.filter(samples)
        source_hops.feed(channel_weights @ np.square(weighted))
        mixed = samples if matrix is None else samples @ matrix
        mixed_weighted = weighted if matrix is None else matrix.T @ weighted
        energies.append(fine.feed(np.square(mixed_weighted).sum(axis=0))[:, None])
        sound.append(mixed)
        output_peak.feed(mixed)
    per_hop = fine.energies[: fine.energies.size // (hop // block) * (hop // block)]
    mixed_hops = per_hop.reshape(-1, hop // block).mean(axis=1)
    heard = _Source(
        decoding.proof, source_hops.energies, to_db(source_peak.peak()), waveform.bars()
    )
    material = Material(
        sound,
        energies,
        block,
        hop // block,
        integrated_lufs(mixed_hops),
        to_db(output_peak.peak()),
    )
    return heard, material


def _ceiling_db(target: Target) -> float:
    return target.true_peak_dbtp - _HEADROOM_DB - _LOSSY_HEADROOM_DB.get(target.format, 0.0)


def _first_level(material: Material, target: Target) -> Level:
    if material.lufs is None:
        over_db = (material.true_peak_db or -100.0) - _ceiling_db(target)
        return Level(min(0.0, -over_db))
    return solve(material, target.loudness_lufs, _ceiling_db(target), target.limiter_max_db)


def _write(material: Material, target: Target, path: Path, level: Level) -> _Written:
    """Second pass: encode at this level, decode again, and measure what came back."""
    checksum, count = 0, 0
    loudness = LoudnessMeter(target.sample_rate_hz, (1.0,) * target.channels)
    true_peak = TruePeakMeter(target.channels)
    measured = target.is_lossless and level.ceiling_dbtp is not None
    with contextlib.closing(open_encoder(path, target)) as encoder:
        for samples in leveled(material, level, target.limiter_max_db):
            frames = _quantized(samples, target)
            checksum, count = zlib.crc32(frames, checksum), count + len(frames)
            encoder.write(frames)
            if measured:
                heard = frames.astype(np.float32) / np.float32(FULL_SCALE)
                loudness.feed(heard)
                true_peak.feed(heard)
    if not target.is_lossless:
        return _hear(path, level, count)
    _prove_equal(path, checksum, count)
    if measured:
        return _Written(
            level, count, integrated_lufs(loudness.energies), to_db(true_peak.peak())
        )
    return _Written(level, count, _plus(material.lufs, level), _plus(material.true_peak_db, level))


def _plus(value: float | None, level: Level) -> float | None:
    return None if value is None else value + level.gain_db


def _quantized(samples: Samples, target: Target) -> Frames16:
    scale = FULL_SCALE / (LAME_SCALE if target.format == "mp3" else 1.0)
    scaled = np.rint(np.multiply(samples, np.float32(scale), out=samples), out=samples)
    return np.clip(scaled, -32768, 32767, out=scaled).astype(np.int16)


def _prove_equal(path: Path, checksum: int, count: int) -> None:
    """Decode a lossless file and compare every sample with what was encoded."""
    decoded, again = 0, 0
    for block in Decoding(path).blocks():
        frames = np.rint(block.samples * np.float32(FULL_SCALE)).astype(np.int16)
        again, decoded = zlib.crc32(np.ascontiguousarray(frames), again), decoded + len(frames)
    if (decoded, again) != (count, checksum):
        raise NormalizationError(
            f"{path.name} decodes to {decoded} samples that are not the {count} encoded"
        )


def _hear(path: Path, level: Level, count: int) -> _Written:
    """Decode a lossy file and measure it."""
    decoding = Decoding(path)
    blocks = decoding.blocks()
    first = next(blocks)
    loudness = LoudnessMeter(first.sample_rate_hz, (1.0,) * len(first.layout))
    true_peak = TruePeakMeter(len(first.layout))
    for block in chain([first], blocks):
        loudness.feed(block.samples)
        true_peak.feed(block.samples)
    return _Written(level, count, integrated_lufs(loudness.energies), to_db(true_peak.peak()))


def _corrected(material: Material, target: Target, path: Path, written: _Written) -> _Written:
    """Write once more where the decoded file is over the ceiling or off the target."""
    over_db = (written.true_peak_db or -100.0) - target.true_peak_dbtp
    off_lu = target.loudness_lufs - written.lufs if written.lufs is not None else 0.0
    level = written.level
    if over_db <= 0 and (abs(off_lu) <= _CLOSE_LU or level.cap_bites):
        return written
    if material.lufs is None:
        again = replace(level, gain_db=level.gain_db - max(0.0, over_db) - _HEADROOM_DB)
    else:
        ceiling = _ceiling_db(target) - (over_db + _HEADROOM_DB if over_db > 0 else 0.0)
        wanted = target.loudness_lufs + off_lu
        again = solve(material, wanted, ceiling, target.limiter_max_db)
    return _write(material, target, path, again)


def _facts(
    heard: _Source, material: Material, target: Target, path: Path, written: _Written
) -> Normalized:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Normalized(
        proof=heard.proof,
        source_lufs=integrated_lufs(heard.energies),
        source_true_peak_dbtp=heard.true_peak_db,
        loudness_range_lu=range_lu(heard.energies),
        speech_ratio=speech_ratio(heard.energies),
        silences=silences(heard.energies),
        waveform=heard.waveform,
        is_silent=material.lufs is None,
        audio_format=target.format,
        audio_sample_rate_hz=target.sample_rate_hz,
        audio_channels=target.channels,
        audio_samples=written.samples,
        audio_bytes=path.stat().st_size,
        audio_sha256=sha256,
        audio_lufs=written.lufs,
        audio_true_peak_dbtp=written.true_peak_db,
        gain_db=written.level.gain_db,
        limiter_depth_db=max(0.0, written.level.depth_db),
        findings=tuple(_findings(target, material, written)),
    )


def _findings(target: Target, material: Material, written: _Written) -> Iterator[str]:
    if material.lufs is None:
        yield "silent: nothing lies above -70 LUFS for 0.4 s, so no gain was applied"
        return
    if written.level.cap_bites:
        yield (
            f"quieter than the target: the limiter may press peaks by no more than "
            f"{target.limiter_max_db:g} dB"
        )
    off_lu = (written.lufs if written.lufs is not None else -70.0) - target.loudness_lufs
    if abs(off_lu) > (0.3 if target.is_lossless else 0.5) and not written.level.cap_bites:
        yield f"loudness is {off_lu:+.1f} LU off the target"
    if (written.true_peak_db or -100.0) > target.true_peak_dbtp:
        yield f"true peak {written.true_peak_db:.1f} dBTP is above the ceiling"
