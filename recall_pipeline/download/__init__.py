"""Download each MP3 with resume, check that it decodes to its full length, and store it.

Belongs here: the table `mixed_audio`; which artifacts exist, which of them to download and in which order; the transfer
with resume; the check of a URL's addresses (url_guard.py); the breakers of media hosts (host_breakers.py); the decode
check; publication under the name of the right version.
Does not belong here: what becomes of the audio afterwards (`catalog`), decoding itself (`audio`).
Comes in: an open day of the archive and what Recall.ai shows about it. Goes out: MP3s byte for byte, and the rows of
`mixed_audio`.
"""

from typing import TYPE_CHECKING

from recall_pipeline.download.rows import ARCHIVED, CORRUPT, MIXED_AUDIO, MixedAudioRow
from recall_pipeline.lazy_imports import lazy_names

if TYPE_CHECKING:
    from recall_pipeline.download.artifacts import find_artifacts
    from recall_pipeline.download.day_download import DownloadPlan, DownloadReport, sync_mp3s
    from recall_pipeline.download.decode_check import truncation
    from recall_pipeline.download.early_normalizer import EarlyNormalizer, NormalizeFile
    from recall_pipeline.download.host_breakers import HostBreakers
    from recall_pipeline.download.media_requests import MEDIA_URL, fetch_first_byte, media_client
    from recall_pipeline.download.partials import Partial, Unfinished, unfinished
    from recall_pipeline.download.url_guard import UrlGuard

__all__ = [
    "ARCHIVED",
    "CORRUPT",
    "MEDIA_URL",
    "MIXED_AUDIO",
    "DownloadPlan",
    "DownloadReport",
    "EarlyNormalizer",
    "HostBreakers",
    "MixedAudioRow",
    "NormalizeFile",
    "Partial",
    "Unfinished",
    "UrlGuard",
    "fetch_first_byte",
    "find_artifacts",
    "media_client",
    "sync_mp3s",
    "truncation",
    "unfinished",
]

__getattr__ = lazy_names(
    __name__,
    {
        "artifacts": ("find_artifacts",),
        "day_download": ("DownloadPlan", "DownloadReport", "sync_mp3s"),
        "decode_check": ("truncation",),
        "early_normalizer": ("EarlyNormalizer", "NormalizeFile"),
        "host_breakers": ("HostBreakers",),
        "media_requests": ("MEDIA_URL", "fetch_first_byte", "media_client"),
        "partials": ("Partial", "Unfinished", "unfinished"),
        "url_guard": ("UrlGuard",),
    },
)
