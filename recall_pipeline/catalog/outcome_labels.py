"""The meaning of each outcome, for the command line and docs/concepts.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from recall_pipeline.catalog.outcomes import Outcome

_WITH_A_NEW_VERSION = "when Recall offers another version"
_EVERY_SYNC = "at every sync"
_IN_THE_LOOKBACK = "while its day is in the lookback"


@dataclass(frozen=True, slots=True)
class OutcomeLabel:
    """The meaning of an outcome, and when such a recording is tried again."""

    meaning: str
    checked_again: str
    colour: str = "dim"


OUTCOME_LABELS: Mapping[Outcome, OutcomeLabel] = MappingProxyType(
    {
        Outcome.READY: OutcomeLabel("archived, verified and normalized", _WITH_A_NEW_VERSION, "green"),
        Outcome.SILENT: OutcomeLabel(
            "archived and normalized, but nothing in it is above the loudness gate", _WITH_A_NEW_VERSION, "cyan"
        ),
        Outcome.PROCESSING: OutcomeLabel("Recall is still working on it", _EVERY_SYNC, "yellow"),
        Outcome.DOWNLOAD_FAILED: OutcomeLabel("could not be downloaded or verified this time", _EVERY_SYNC, "red"),
        Outcome.CORRUPT: OutcomeLabel(
            "Recall serves an incomplete or undecodable file: the original is kept, not normalized",
            f"{_WITH_A_NEW_VERSION}, or by `verify --repair`",
            "red",
        ),
        Outcome.FAILED_UPSTREAM: OutcomeLabel(
            "Recall failed to record it or to make the MP3, or has not finished it in time",
            f"{_IN_THE_LOOKBACK}; {_EVERY_SYNC} with the finding `overdue`",
        ),
        Outcome.NOT_REQUESTED: OutcomeLabel(
            "no MP3 was made: the bot was not configured to make one", _IN_THE_LOOKBACK
        ),
        Outcome.UNSUPPORTED_PLATFORM: OutcomeLabel("Recall makes no mixed audio on this platform", _IN_THE_LOOKBACK),
        Outcome.DELETED: OutcomeLabel("deleted at Recall before it was archived", _IN_THE_LOOKBACK),
        Outcome.EXPIRED: OutcomeLabel("its retention at Recall ended before it was archived", _IN_THE_LOOKBACK),
        Outcome.FORGOTTEN: OutcomeLabel("removed for good, on request or by retention", "never"),
    }
)
"""In the order: usable audio, audio that may still come, audio that is missing."""
