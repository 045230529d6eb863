"""Normalize a recording: an analysis pass, a render pass, and up to two corrected render passes."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from math import log10
from pathlib import Path

from recall_pipeline.audio.analysis_pass import SourceAnalysis, analyze, open_intermediate
from recall_pipeline.audio.findings import AudioFinding, AudioFindingCode
from recall_pipeline.audio.gain import GainPlan, solve_gain
from recall_pipeline.audio.intermediate import SILENCE_DBTP, Intermediate
from recall_pipeline.audio.loudness import integrated_lufs, loudness_range_lu
from recall_pipeline.audio.mix_plan import MixPlan, revised_plan
from recall_pipeline.audio.render_pass import Rendered, render
from recall_pipeline.audio.results import Normalized
from recall_pipeline.audio.silence import silences, speech_ratio
from recall_pipeline.audio.target import Target

_HEADROOM_DB = {"flac": 0.2, "wav": 0.2, "mp3": 0.4, "opus": 1.0}
"""Margin of the limiter below the ceiling, because encoding raises peaks. A correction lowers it once more."""

_MAX_CORRECTIONS = 2  # one is enough, except for noise up to the Nyquist frequency
_CORRECTION_THRESHOLD_LU = 0.1
_MAX_DEVIATION_LU = 0.3


def normalize(source: Path, destination: Path, target: Target) -> Normalized:
    """Write `source` to `destination` as `target` specifies, and check the result by decoding it.

    The destination appears in one atomic step, readable by its owner only. The source is not changed.
    `findings` state what could not be reached: silence has no loudness, and the limiter has a maximum.
    Raises NotAudio if the source has no decodable audio, NormalizationError if the output cannot be
    encoded or does not decode to what was encoded, OSError if a file cannot be read or written.
    """
    with _temporary_file(destination) as partial, contextlib.ExitStack() as intermediates:
        intermediate = intermediates.enter_context(open_intermediate(target, destination.parent))
        analysis = analyze(source, intermediate, target.sample_rate_hz)
        plan = revised_plan(analysis.hop_energies, intermediate.hop_energies, analysis.offset, target.loudness_lufs)
        if plan != MixPlan():
            intermediate = intermediates.enter_context(open_intermediate(target, destination.parent))
            analysis = analyze(source, intermediate, target.sample_rate_hz, plan)
        rendered = _render_with_corrections(intermediate, target, partial)
        findings = [*plan.findings(), *_source_findings(analysis), *_output_findings(intermediate, target, rendered)]
        result = _describe(analysis, intermediate, target, partial, rendered, findings)
        partial.replace(destination)
    return result


@contextlib.contextmanager
def _temporary_file(destination: Path) -> Iterator[Path]:
    """Yield a private temporary file in the destination's folder; delete it at the end if it still exists."""
    handle, name = tempfile.mkstemp(".partial", f".{destination.name}.", destination.parent)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _render_with_corrections(intermediate: Intermediate, target: Target, path: Path) -> Rendered:
    rendered = render(intermediate, target, path, _initial_plan(intermediate, target))
    for _ in range(_MAX_CORRECTIONS):
        if (corrected := _corrected_plan(intermediate, target, rendered)) is None:
            break
        rendered = render(intermediate, target, path, corrected)
    return rendered


def _ceiling_dbtp(target: Target) -> float:
    return target.true_peak_dbtp - _HEADROOM_DB[target.format]


def _applied_ceiling_dbtp(target: Target, plan: GainPlan) -> float:
    return _ceiling_dbtp(target) if plan.limiter is None else 20 * log10(plan.limiter.ceiling)


def _initial_plan(intermediate: Intermediate, target: Target) -> GainPlan:
    if intermediate.is_silent:
        return GainPlan(min(0.0, _ceiling_dbtp(target) - intermediate.true_peak_dbtp))
    return solve_gain(intermediate, target.loudness_lufs, _ceiling_dbtp(target), target.limiter_max_db)


def _corrected_plan(intermediate: Intermediate, target: Target, rendered: Rendered) -> GainPlan | None:
    """Return a plan that corrects a file over the ceiling or off the target; None if the file is good."""
    over_db = max(0.0, _or_silence(rendered.true_peak_dbtp) - target.true_peak_dbtp)
    missing_lu = target.loudness_lufs - rendered.lufs if rendered.lufs is not None else 0.0
    missing_lu -= rendered.plan.shortfall_lu
    if not over_db and abs(missing_lu) <= _CORRECTION_THRESHOLD_LU:
        return None
    reduction_db = over_db + _HEADROOM_DB[target.format] if over_db else 0.0
    if intermediate.is_silent:
        return replace(rendered.plan, gain_db=rendered.plan.gain_db - reduction_db)
    return solve_gain(
        intermediate,
        target.loudness_lufs + missing_lu,
        _applied_ceiling_dbtp(target, rendered.plan) - reduction_db,
        target.limiter_max_db,
    )


def _or_silence(decibels: float | None) -> float:
    return SILENCE_DBTP if decibels is None else decibels


def _describe(
    analysis: SourceAnalysis,
    intermediate: Intermediate,
    target: Target,
    path: Path,
    rendered: Rendered,
    findings: list[AudioFinding],
) -> Normalized:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Normalized(
        source=analysis.decode_result,
        source_lufs=integrated_lufs(analysis.hop_energies),
        source_true_peak_dbtp=analysis.true_peak_dbtp,
        loudness_range_lu=loudness_range_lu(analysis.hop_energies),
        speech_ratio=speech_ratio(analysis.hop_energies),
        silences=silences(analysis.hop_energies),
        waveform=analysis.waveform,
        peaks=rendered.peaks,
        is_silent=intermediate.is_silent,
        audio_format=target.format,
        audio_sample_rate_hz=target.sample_rate_hz,
        audio_channels=target.channels,
        audio_samples=rendered.samples,
        audio_bytes=path.stat().st_size,
        audio_sha256=sha256,
        audio_lufs=rendered.lufs,
        audio_true_peak_dbtp=rendered.true_peak_dbtp,
        gain_db=rendered.plan.gain_db,
        limiter_depth_db=rendered.plan.limiter_depth_db,
        findings=tuple(finding.words for finding in findings),
        finding_codes=tuple(finding.code for finding in findings if finding.code),
    )


def _source_findings(analysis: SourceAnalysis) -> Iterator[AudioFinding]:
    yield from analysis.decode_result.findings
    if analysis.burst_finding is not None:
        yield analysis.burst_finding


def _output_findings(intermediate: Intermediate, target: Target, rendered: Rendered) -> Iterator[AudioFinding]:
    if intermediate.is_silent:
        words = "no loudness: never above -70 LUFS for 0.4 s, so no gain was applied"
        yield AudioFinding(None, words)
    elif rendered.plan.shortfall_lu:
        words = (
            f"{rendered.plan.shortfall_lu:.1f} LU quieter than the target: its peaks would have to"
            f" be limited by more than {target.limiter_max_db:g} dB"
        )
        yield AudioFinding(AudioFindingCode.TOO_QUIET, words)
    elif abs(_or_silence(rendered.lufs) - target.loudness_lufs) > _MAX_DEVIATION_LU:
        words = f"loudness is {_or_silence(rendered.lufs):.1f} LUFS, not {target.loudness_lufs:g}"
        yield AudioFinding(AudioFindingCode.OFF_TARGET, words)
    if _or_silence(rendered.true_peak_dbtp) > target.true_peak_dbtp:
        words = f"true peak is {rendered.true_peak_dbtp:.2f} dBTP, above {target.true_peak_dbtp:g}"
        yield AudioFinding(AudioFindingCode.OFF_TARGET, words)
