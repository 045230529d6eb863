"""The requests of a day, and how many there may be by the formula in docs/scaling.md."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from pathlib import Path

from recall_sandbox import Access, World

PAGE_SIZE = 20
_LISTS = ("bot", "recording", "audio_mixed")
_HOT_DAYS, _REST_DAYS, _WALKED_DAYS = 4, 6, 3
_LATEST = timedelta(days=25)


def fetched(accesses: Iterable[Access]) -> Counter[str]:
    """Count the downloads of each MP3, by its id."""
    served = (access for access in accesses if access.origin == "media" and access.status in (200, 206))
    return Counter(Path(access.path).stem for access in served if access.bytes_sent)


def list_requests(accesses: Iterable[Access]) -> int:
    """Count the pages of lists that were read; the MP3s of one recording are the lookup of a gap."""
    return sum(
        access.origin == "api"
        and access.path.rstrip("/").rpartition("/")[2] in _LISTS
        and not access.query.startswith("recording_id")
        for access in accesses
    )


def most_list_requests(world: World, day: date, ticks: int, runs: int) -> int:
    """Return the most pages that the sensor reads in so many ticks, and the walks of so many runs of a day."""
    since = datetime.combine(day, time(), UTC) - _LATEST
    bots, recordings, mp3s = (
        max(Counter(at.date() for at in moments if at and at >= since).values(), default=0)
        for moments in (
            (bot.join_at for bot in world.bots),
            (row.created_at for row in world.recordings),
            (row.created_at for row in world.artifacts),
        )
    )
    largest = max(bots, recordings, mp3s)
    sweep = _pages(_HOT_DAYS * largest) + _pages(_REST_DAYS * largest)
    walks = _pages(_WALKED_DAYS * bots) + _pages(recordings) + _pages(mp3s)
    return 3 * ticks * sweep + runs * walks


def _pages(rows: int) -> int:
    return max(1, ceil(rows / PAGE_SIZE))
