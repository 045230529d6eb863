"""Speak to Recall.ai.

Belongs here: the HTTP client with its retries, request budget and paging; typed records of what the API says,
tolerant wherever docs/design/recall-api.md is unsure; the walks that list a span of days.
Does not belong here: files, tables, outcomes, and anything that talks to the media host.
Comes in: settings. Goes out: records, and one of the typed errors below RecallError.
"""

from recall_pipeline.recall_api.client import AnyListed, Kind, RecallClient, Window, open_client
from recall_pipeline.recall_api.day_listing import Listing, Listings, list_days
from recall_pipeline.recall_api.lookups import capture_errors, lookup_many
from recall_pipeline.recall_api.meeting_urls import Meeting, read_meeting
from recall_pipeline.recall_api.rate_limit import BudgetShare
from recall_pipeline.recall_api.records import (
    DELETED,
    IN_PROGRESS,
    AudioMixed,
    Bot,
    Moment,
    Recording,
    Reference,
    Status,
    Tolerant,
)
from recall_pipeline.recall_api.retry import RetryPolicy

__all__ = [
    "DELETED",
    "IN_PROGRESS",
    "AnyListed",
    "AudioMixed",
    "Bot",
    "BudgetShare",
    "Kind",
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
    "Window",
    "capture_errors",
    "list_days",
    "lookup_many",
    "open_client",
    "read_meeting",
]
