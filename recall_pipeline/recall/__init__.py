"""Speak to Recall.ai.

Belongs here: the HTTP client with its retries, request budget and paging; typed records of what the API says,
tolerant wherever recall_api.md is unsure; the walks that list a span of days.
Does not belong here: files, tables, outcomes, and anything that talks to the media host.
Comes in: settings. Goes out: records, and one of the typed errors below RecallError.
"""

from recall_pipeline.recall.client import RecallClient, open_client
from recall_pipeline.recall.listing import Listing, Listings
from recall_pipeline.recall.meetings import Meeting
from recall_pipeline.recall.records import AudioMixed, Bot, Recording, Status

__all__ = [
    "AudioMixed",
    "Bot",
    "Listing",
    "Listings",
    "Meeting",
    "RecallClient",
    "Recording",
    "Status",
    "open_client",
]
