"""Finding codes: stable words for what is noteworthy about a recording whose outcome stands.

To add one: add it to `FindingCode` and to `FINDINGS`. A code that normalizing finds is put into
`Normalized.finding_codes` (recall_pipeline/audio/results.py). It stays in the row while the normalized file does.
A code that every sync derives again from the tables is added to `DERIVED_AT_EVERY_SYNC` and returned by the verdict.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType


class FindingCode(StrEnum):
    """A stable code in the column `findings`. Codes are added, never renamed or removed."""

    SHORTER_THAN_PROMISED = "shorter_than_promised"
    LONGER_THAN_PROMISED = "longer_than_promised"
    DAMAGED_FRAMES = "damaged_frames"
    ZERO_RUNS = "zero_runs"
    CUT_AT_END = "cut_at_end"
    SPLICED_AUDIO = "spliced_audio"
    REPEATED_AUDIO = "repeated_audio"
    DURATION_DIFFERS = "duration_differs"
    TOO_QUIET = "too_quiet"
    OFF_TARGET = "off_target"
    CHANNELS_CANCEL = "channels_cancel"
    DC_OFFSET = "dc_offset"
    NEWER_VERSION_CORRUPT = "newer_version_corrupt"
    NEWER_VERSION_FAILED = "newer_version_failed"
    RENORMALIZING_FAILED = "renormalizing_failed"
    OVERDUE = "overdue"
    START_UNKNOWN = "start_unknown"


FINDINGS: Mapping[FindingCode, str] = MappingProxyType(
    {
        FindingCode.SHORTER_THAN_PROMISED: "the MP3 decodes to less than its own header promises, by more than 0.2 s",
        FindingCode.LONGER_THAN_PROMISED: "the MP3 decodes to more than its own header promises, by more than 0.2 s",
        FindingCode.DAMAGED_FRAMES: "parts of the MP3 do not decode, or not to sound; silence takes their place",
        FindingCode.ZERO_RUNS: "the MP3 has runs of zero bytes in place of frames",
        FindingCode.CUT_AT_END: "the MP3 states no length, and ends within a frame or page: its end may be missing",
        FindingCode.SPLICED_AUDIO: "some frames do not follow the one before: audio may be missing or repeated",
        FindingCode.REPEATED_AUDIO: "a part of the recording is in the MP3 twice",
        FindingCode.DURATION_DIFFERS: "the decoded length and the API's times differ: meetings pause",
        FindingCode.TOO_QUIET: "the normalized file is quieter than the target, since the limiter has a maximum",
        FindingCode.OFF_TARGET: "the normalized file misses the target loudness or the true-peak ceiling",
        FindingCode.CHANNELS_CANCEL: "the channels cancel each other out when mixed, throughout or in a part, so only "
        "the first one was used there",
        FindingCode.DC_OFFSET: "a constant offset under quiet audio was removed by a high-pass",
        FindingCode.NEWER_VERSION_CORRUPT: "a newer version of the archived MP3 is corrupt; tried at every sync",
        FindingCode.NEWER_VERSION_FAILED: "a newer version of the archived MP3 could not be stored; "
        "tried at every sync",
        FindingCode.RENORMALIZING_FAILED: "normalizing the MP3 again failed, so the row keeps the earlier normalized "
        "file; tried at every sync",
        FindingCode.OVERDUE: "Recall has not finished it 24 h after the meeting; looked at again as `processing` is",
        FindingCode.START_UNKNOWN: "the tables of its day were lost, and Recall no longer has it: `created_at` is only "
        "the earliest possible start",
    }
)
"""The meaning of each code, for docs/tables.md."""

DERIVED_AT_EVERY_SYNC = frozenset(
    {
        FindingCode.DURATION_DIFFERS,
        FindingCode.NEWER_VERSION_CORRUPT,
        FindingCode.NEWER_VERSION_FAILED,
        FindingCode.RENORMALIZING_FAILED,
        FindingCode.OVERDUE,
        FindingCode.START_UNKNOWN,
    }
)
"""Codes that a sync derives from the tables. All others stay in the row for as long as its normalized file does."""


def ordered_findings(codes: Iterable[str]) -> list[str]:
    """Return each code once, in the order of `FindingCode`; codes of a later version come last."""
    found = set(codes)
    return [*(str(code) for code in FindingCode if code in found), *sorted(found - set(FindingCode))]


def kept_with_file(codes: Iterable[str] | None) -> tuple[str, ...]:
    """Return the codes of a row that stay in it while its normalized file does."""
    return tuple(code for code in codes or () if code not in DERIVED_AT_EVERY_SYNC)
