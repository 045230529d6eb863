"""Detect what changed at Recall.ai with a bounded number of requests.

Belongs here: the poll of the listings with its cursor, the lookups of objects that webhook events name, and the
comparison of both with the archive.
Does not belong here: run requests (`defs`), receiving webhooks (`webhooks`).
Comes in: pages of listings, events, the archive's tables. Goes out: changes, each with its day.
"""

from recall_pipeline.polling.change_detection import ArchiveState, Change
from recall_pipeline.polling.event_lookups import EventLookups, look_up_events, lookups_per_tick
from recall_pipeline.polling.listing_poll import PollCursor, PollResult, pages_per_tick, poll_listings, tick_seconds

__all__ = [
    "ArchiveState",
    "Change",
    "EventLookups",
    "PollCursor",
    "PollResult",
    "look_up_events",
    "lookups_per_tick",
    "pages_per_tick",
    "poll_listings",
    "tick_seconds",
]
