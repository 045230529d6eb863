"""Bring a recording to the target: two passes, a proof, and a correction or two if it misses."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from math import log10
from pathlib import Path

from recall_pipeline.audio.analysis_pass import Source, listen, material_for
from recall_pipeline.audio.channels import first_only
from recall_pipeline.audio.gain import Level, solve
from recall_pipeline.audio.intermediate import Material
from recall_pipeline.audio.loudness import integrated_lufs, range_lu
from recall_pipeline.audio.render_pass import Written, write
from recall_pipeline.audio.results import Normalized
from recall_pipeline.audio.silence import silences, speech_ratio
from recall_pipeline.audio.target import Target

_HEADROOM_DB = {"flac": 0.2, "wav": 0.2, "mp3": 0.4, "opus": 1.0}
"""How far under the ceiling the limiter aims, and twice as far when that was not enough: coding adds to peaks."""

_CANCELLED_LU = 12.0
_CANCELS = "the channels cancel each other out when mixed, so the first alone was used"
_CORRECTIONS = 2  # one does, but for noise up to the last frequency
_CLOSE_LU = 0.1
_HONEST_LU = 0.3


def normalize(source: Path, destination: Path, target: Target) -> Normalized:
    """Write `source` to `destination` as the target asks, and prove it by decoding it.

    The destination appears whole or not at all, readable by its owner only; the source is left
    as it is. What cannot be reached (silence has no loudness, the limiter's cap) is named in the
    `findings`. Raises NotAudio when there is no sound in the source, NormalizationError when what
    was encoded does not come back, OSError when a file cannot be read or written.
    """
    with _beside(destination) as partial, contextlib.ExitStack() as spools:
        material = spools.enter_context(material_for(target, destination.parent))
        heard = listen(source, material, target.sample_rate_hz)
        cancels = _channels_cancel(heard, material)
        if cancels:
            material = spools.enter_context(material_for(target, destination.parent))
            heard = listen(source, material, target.sample_rate_hz, first_only)
        written = write(material, target, partial, _first_level(material, target))
        for _ in range(_CORRECTIONS):
            if (again := _correction(material, target, written)) is None:
                break
            written = write(material, target, partial, again)
        facts = _facts(heard, material, target, partial, written)
        if cancels:
            facts = replace(facts, findings=(_CANCELS, *facts.findings))
        partial.replace(destination)
    return facts


@contextlib.contextmanager
def _beside(destination: Path) -> Iterator[Path]:
    """A private temporary file in the folder of the destination, gone at the end."""
    handle, name = tempfile.mkstemp(".partial", f".{destination.name}.", destination.parent)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _channels_cancel(heard: Source, material: Material) -> bool:
    """Whether mixing has lost what the channels hold: two that have nothing in common lose 6 LU."""
    source_lufs = integrated_lufs(heard.energies)
    return source_lufs is not None and source_lufs - material.lufs > _CANCELLED_LU


def _ceiling_dbtp(target: Target) -> float:
    return target.true_peak_dbtp - _HEADROOM_DB[target.format]


def _held_dbtp(target: Target, level: Level) -> float:
    return _ceiling_dbtp(target) if level.limiter is None else 20 * log10(level.limiter.ceiling)


def _first_level(material: Material, target: Target) -> Level:
    if material.is_silent:
        return Level(min(0.0, _ceiling_dbtp(target) - material.true_peak_db))
    return solve(material, target.loudness_lufs, _ceiling_dbtp(target), target.limiter_max_db)


def _correction(material: Material, target: Target, written: Written) -> Level | None:
    """Where the decoded file is over the ceiling or off the target, the level that mends it."""
    over_db = max(0.0, _or_silence(written.true_peak_db) - target.true_peak_dbtp)
    off_lu = target.loudness_lufs - written.lufs if written.lufs is not None else 0.0
    off_lu -= written.level.short_lu
    if not over_db and abs(off_lu) <= _CLOSE_LU:
        return None
    lower_db = over_db + _HEADROOM_DB[target.format] if over_db else 0.0
    if material.is_silent:
        return replace(written.level, gain_db=written.level.gain_db - lower_db)
    return solve(
        material,
        target.loudness_lufs + off_lu,
        _held_dbtp(target, written.level) - lower_db,
        target.limiter_max_db,
    )


def _or_silence(decibels: float | None) -> float:
    return -200.0 if decibels is None else decibels


def _facts(heard: Source, material: Material, target: Target, path: Path, written: Written) -> Normalized:
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
        is_silent=material.is_silent,
        audio_format=target.format,
        audio_sample_rate_hz=target.sample_rate_hz,
        audio_channels=target.channels,
        audio_samples=written.samples,
        audio_bytes=path.stat().st_size,
        audio_sha256=sha256,
        audio_lufs=written.lufs,
        audio_true_peak_dbtp=written.true_peak_db,
        gain_db=written.level.gain_db,
        limiter_depth_db=written.level.depth_db,
        findings=tuple(_findings(material, target, written)),
    )


def _findings(material: Material, target: Target, written: Written) -> Iterator[str]:
    if material.is_silent:
        yield "no loudness: nothing lies above -70 LUFS for 0.4 s, so no gain was applied"
    elif written.level.short_lu:
        yield (
            f"{written.level.short_lu:.1f} LU quieter than the target: its peaks would have to"
            f" be limited by more than {target.limiter_max_db:g} dB"
        )
    elif abs(_or_silence(written.lufs) - target.loudness_lufs) > _HONEST_LU:
        yield f"loudness is {_or_silence(written.lufs):.1f} LUFS, not {target.loudness_lufs:g}"
    if _or_silence(written.true_peak_db) > target.true_peak_dbtp:
        yield f"true peak is {written.true_peak_db:.2f} dBTP, above {target.true_peak_dbtp:g}"
