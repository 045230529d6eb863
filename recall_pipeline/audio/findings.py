"""Findings about a recording: what is noteworthy of audio that decodes. None of them is a verdict."""

from enum import StrEnum
from typing import NamedTuple

from recall_pipeline.audio.damage import Damage

MIN_DIFFERENCE_SECONDS = 0.2
"""A decoded length that differs from its header by more is a finding (docs/design/interface.md, section 4)."""


class AudioFindingCode(StrEnum):
    """Codes of findings that decoding and normalizing make; each is documented in docs/tables.md."""

    SHORTER_THAN_PROMISED = "shorter_than_promised"
    LONGER_THAN_PROMISED = "longer_than_promised"
    CUT_AT_END = "cut_at_end"
    DAMAGED_FRAMES = "damaged_frames"
    ZERO_RUNS = "zero_runs"
    SPLICED_AUDIO = "spliced_audio"
    REPEATED_AUDIO = "repeated_audio"
    TOO_QUIET = "too_quiet"
    OFF_TARGET = "off_target"
    CHANNELS_CANCEL = "channels_cancel"
    DC_OFFSET = "dc_offset"


class AudioFinding(NamedTuple):
    """A code and the same in words. The code is None for what the outcome `silent` states already."""

    code: AudioFindingCode | None
    words: str


def length_finding(decoded_seconds: float, header_seconds: float | None) -> AudioFinding | None:
    """Return how a decoded length differs from what the header states; None if it does not."""
    if header_seconds is None or abs(decoded_seconds - header_seconds) <= MIN_DIFFERENCE_SECONDS:
        return None
    is_short = decoded_seconds < header_seconds
    code = AudioFindingCode.SHORTER_THAN_PROMISED if is_short else AudioFindingCode.LONGER_THAN_PROMISED
    return AudioFinding(
        code,
        f"decodes to {decoded_seconds:.1f} s, {abs(decoded_seconds - header_seconds):.1f} s"
        f" {'less' if is_short else 'more'} than its header promises",
    )


def damage_findings(damage: Damage) -> list[AudioFinding]:
    """Return the findings about damage between good frames."""
    found = []
    if damage.stretches:
        silence = f", {damage.silent_seconds:.1f} s replaced by silence" if damage.silent_seconds else ""
        words = f"{damage.stretches} damaged stretches, the first at {damage.first_seconds:.1f} s{silence}"
        found.append(AudioFinding(AudioFindingCode.DAMAGED_FRAMES, words))
    if damage.zero_runs:
        words = f"{damage.zero_bytes} bytes of zeros between frames, in {damage.zero_runs} runs"
        found.append(AudioFinding(AudioFindingCode.ZERO_RUNS, words))
    return found


def edge_findings(is_cut_at_end: bool, zero_seconds: float) -> list[AudioFinding]:
    """Return the findings about the start and the end of a file that does not have all that its header states."""
    found = []
    if is_cut_at_end:
        words = "ends within a frame or without its last page, and states no length: its end may be missing"
        found.append(AudioFinding(AudioFindingCode.CUT_AT_END, words))
    if zero_seconds > MIN_DIFFERENCE_SECONDS:
        words = f"zeros before the first or after the last frame take the place of {zero_seconds:.1f} s"
        found.append(AudioFinding(AudioFindingCode.ZERO_RUNS, words))
    return found


def sequence_findings(splices: int, has_repeats: bool) -> list[AudioFinding]:
    """Return the findings about frames that do not follow one another."""
    found = []
    if splices:
        words = f"{splices} frames do not follow the one before: audio may be missing or repeated there"
        found.append(AudioFinding(AudioFindingCode.SPLICED_AUDIO, words))
    if has_repeats:
        words = "a part of it is there twice, as after a download that started over or resumed at a wrong offset"
        found.append(AudioFinding(AudioFindingCode.REPEATED_AUDIO, words))
    return found
