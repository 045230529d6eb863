"""What each outcome means to the person who reads it; the README's table of outcomes comes from here too."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from recall_pipeline.catalog.outcomes import Outcome

_WITH_A_NEW_VERSION = "when Recall offers another version"
_EVERY_SYNC = "at every sync"
_IN_THE_LOOKBACK = "while its day lies in the lookback"


@dataclass(frozen=True, slots=True)
class Meaning:
    """An outcome in words, and when such a recording is looked at again."""

    says: str
    looked_at_again: str
    colour: str = "dim"


LEGEND: Mapping[Outcome, Meaning] = MappingProxyType(
    {
        Outcome.READY: Meaning("archived, proven and normalized: ready to listen to", _WITH_A_NEW_VERSION, "green"),
        Outcome.SILENT: Meaning("the same, but nobody is heard in it", _WITH_A_NEW_VERSION, "cyan"),
        Outcome.PROCESSING: Meaning("Recall is still working on it", _EVERY_SYNC, "yellow"),
        Outcome.DOWNLOAD_FAILED: Meaning("could not be fetched or proven this time", _EVERY_SYNC, "red"),
        Outcome.CORRUPT: Meaning(
            "what Recall serves is no whole audio: its bytes are kept, not normalized",
            f"{_WITH_A_NEW_VERSION}, or by `verify --repair`",
            "red",
        ),
        Outcome.FAILED_UPSTREAM: Meaning("Recall failed to record it or to make the MP3", _IN_THE_LOOKBACK),
        Outcome.NOT_REQUESTED: Meaning("no MP3 was made: a bot must be told to make one", _IN_THE_LOOKBACK),
        Outcome.UNSUPPORTED_PLATFORM: Meaning("Recall makes no mixed audio on this platform", _IN_THE_LOOKBACK),
        Outcome.DELETED: Meaning("deleted at Recall before it was archived", _IN_THE_LOOKBACK),
        Outcome.EXPIRED: Meaning("its retention at Recall ended before it was archived", _IN_THE_LOOKBACK),
        Outcome.FORGOTTEN: Meaning("removed for good, on request or by retention", "never"),
    }
)
"""In the order of interest: what can be listened to, what may still come, what is lost."""
