"""Async client for the Recall.ai API: retries, rate limits, pagination, typed records.

Belongs here: the HTTP client with its retries (retry.py), request budget (rate_limit.py) and pagination; typed
records that tolerate what docs/design/recall-api.md leaves open; the listings of a span of days, kept in a file
(listing_spool.py); bounded concurrent lookups.
Does not belong here: the archive, tables, outcomes, and requests to the media host.
Comes in: settings. Goes out: records, and the subclasses of RecallError.
"""

from typing import TYPE_CHECKING

from recall_pipeline.lazy_imports import lazy_names
from recall_pipeline.recall_api.meeting_urls import Meeting, parse_meeting
from recall_pipeline.recall_api.records import (
    DELETED,
    FINISHED,
    IN_PROGRESS,
    AudioMixed,
    Bot,
    Identity,
    Moment,
    Recording,
    Reference,
    Status,
    Tolerant,
)
from recall_pipeline.recall_api.vocabulary import CODES, OBJECTS, Known, codes_of, objects_within

if TYPE_CHECKING:
    from recall_pipeline.recall_api.client import LEDGER, RecallClient, open_client
    from recall_pipeline.recall_api.day_listing import Listing, list_days
    from recall_pipeline.recall_api.list_windows import AnyListed, Kind, Window
    from recall_pipeline.recall_api.listing_spool import remove_listings
    from recall_pipeline.recall_api.lookups import capture_errors, lookup_many
    from recall_pipeline.recall_api.page_contract import no_links_error
    from recall_pipeline.recall_api.rate_limit import Budget, BudgetShare
    from recall_pipeline.recall_api.retry import RetryPolicy
    from recall_pipeline.recall_api.shared_listings import Listings
    from recall_pipeline.recall_api.upstream import Upstream

__all__ = [
    "CODES",
    "DELETED",
    "FINISHED",
    "IN_PROGRESS",
    "LEDGER",
    "OBJECTS",
    "AnyListed",
    "AudioMixed",
    "Bot",
    "Budget",
    "BudgetShare",
    "Identity",
    "Kind",
    "Known",
    "Listing",
    "Listings",
    "Meeting",
    "Moment",
    "RecallClient",
    "Recording",
    "Reference",
    "RetryPolicy",
    "Status",
    "Tolerant",
    "Upstream",
    "Window",
    "capture_errors",
    "codes_of",
    "list_days",
    "lookup_many",
    "no_links_error",
    "objects_within",
    "open_client",
    "parse_meeting",
    "remove_listings",
]

__getattr__ = lazy_names(
    __name__,
    {
        "client": ("LEDGER", "RecallClient", "open_client"),
        "day_listing": ("Listing", "list_days"),
        "list_windows": ("AnyListed", "Kind", "Window"),
        "listing_spool": ("remove_listings",),
        "lookups": ("capture_errors", "lookup_many"),
        "page_contract": ("no_links_error",),
        "rate_limit": ("Budget", "BudgetShare"),
        "retry": ("RetryPolicy",),
        "shared_listings": ("Listings",),
        "upstream": ("Upstream",),
    },
)
