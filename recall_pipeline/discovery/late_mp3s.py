"""Recordings whose MP3 was created on a later day, so that the lists of their own day do not show it.

The sync of that later day notes them, as a fact of its table `recordings`. A sync of their own day looks them up.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from recall_pipeline.days import ONE_DAY, days_between, utc_now
from recall_pipeline.discovery.listing_times import listing_time
from recall_pipeline.storage import ArchiveDay, Table, scan_days

if TYPE_CHECKING:
    from recall_pipeline.recall_api import Upstream

_FACT = "late_mp3s"
_DAYS_LATER = 7


def late_mp3s_fact(day: ArchiveDay, upstream: "Upstream", recordings_of_day: Collection[str]) -> dict[str, str]:
    """Return the fact about MP3s that were created on `day` and whose recordings are not of `day`."""
    artifacts = upstream.listing.audio_mixed.of_day(day.day)
    named = {audio.recording.id for audio in artifacts if audio.is_mp3 and audio.recording}
    late = sorted(named - set(recordings_of_day))
    return {_FACT: " ".join(late)} if late else {}


def recordings_with_late_mp3(day: ArchiveDay, recordings: Table[Any]) -> dict[str, datetime]:
    """Return the recordings that the week after `day` notes, and when the last listing that shows one was taken.

    A table that cannot be read notes none. Raises StorageError if the storage does not answer.
    """
    week = list(islice(days_between(day.day + ONE_DAY, utc_now().date()), _DAYS_LATER))
    found: dict[str, datetime] = {}
    for scanned in scan_days(day.archive, recordings, week).values():
        facts: Mapping[str, str] = scanned.stored.facts if scanned.stored else {}
        noted, listed_at = facts.get(_FACT, "").split(), listing_time(facts)
        found |= dict.fromkeys(noted, listed_at) if listed_at else {}
    return found
