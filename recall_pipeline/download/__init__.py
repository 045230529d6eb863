"""Bring each MP3 home whole, and prove it.

Belongs here: the table `mixed_audio`; which artifacts there are, which of them to fetch and in what order; the
transfer with resume; the proof of bytes; publishing under the name of the right version.
Does not belong here: what becomes of the audio afterwards (`catalog`), how it is decoded (`audio`).
Comes in: the day's recordings and a listing. Goes out: MP3s byte for byte, and the rows of `mixed_audio`.
"""

from recall_pipeline.download.artifacts import find_artifacts
from recall_pipeline.download.day_download import DownloadPlan, DownloadReport, download_day
from recall_pipeline.download.decode_check import truncation
from recall_pipeline.download.partials import Partial, Unfinished, unfinished
from recall_pipeline.download.rows import ARCHIVED, MIXED_AUDIO, MixedAudioRow
from recall_pipeline.download.unanswered import unanswered_in, unanswered_on

__all__ = [
    "ARCHIVED",
    "MIXED_AUDIO",
    "DownloadPlan",
    "DownloadReport",
    "MixedAudioRow",
    "Partial",
    "Unfinished",
    "download_day",
    "find_artifacts",
    "truncation",
    "unanswered_in",
    "unanswered_on",
    "unfinished",
]
