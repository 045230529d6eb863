"""Safety checks before retention deletes: plausible clock, readable tables, bounded share of the archive."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from recall_pipeline.days import ONE_DAY, utc_now
from recall_pipeline.discovery import RECORDINGS, listing_time
from recall_pipeline.errors import UsageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, scan_days

_MAX_LISTING_AGE = timedelta(days=3)
_MAX_CLOCK_DIFFERENCE = timedelta(hours=1)
_NEWEST_DAYS = 10
_MAX_RECORDINGS = 1000
_MAX_SHARE = 10  # one in so many recordings
_MAX_NIGHTS = 7  # a longer outage is reviewed by the operator


def limit_of(settings: Settings, kept: int) -> int:
    """Return how many recordings one retention run may erase: the setting, else a tenth of `kept`, up to 1,000."""
    if settings.retention_limit is not None:
        return settings.retention_limit
    return min(_MAX_RECORDINGS, kept // _MAX_SHARE)


def nights_since(last_erased_at: datetime | None) -> int:
    """Return the nights since the last erasure, each of which makes one more day too old: 1 to 7."""
    if last_erased_at is None:
        return 1
    return min(max(1, round((utc_now() - last_erased_at) / ONE_DAY)), _MAX_NIGHTS)


def check_clock(archive: Archive) -> None:
    """Raise UsageError if the archive is empty, or if its last listing is not recent by the clock of this host.

    A clock that is years ahead makes every recording look old; then the last listing looks old too.
    """
    days = archive.days(RECORDINGS.name)[-_NEWEST_DAYS:]
    if not days:
        raise UsageError(f"no recordings in the archive at {archive.location.root}: check RECALL_STORAGE_URL")
    now, listed_at = utc_now(), _last_listing(archive, days)
    if listed_at is None or now - listed_at > _MAX_LISTING_AGE or listed_at - now > _MAX_CLOCK_DIFFERENCE:
        listed = f"was last listed {listed_at:%Y-%m-%d %H:%M} UTC" if listed_at else "was never listed"
        raise UsageError(
            f"the archive {listed}, and the clock says {now:%Y-%m-%d %H:%M} UTC: sync first, or correct the clock"
        )


def _last_listing(archive: Archive, days: Sequence[date]) -> datetime | None:
    """Return the newest `listed_at` of the readable `days`; None if there is none."""
    stored = [scanned.stored for scanned in scan_days(archive, RECORDINGS, days).values()]
    return max((moment for each in stored if each and (moment := listing_time(each.facts))), default=None)
