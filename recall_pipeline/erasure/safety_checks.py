"""When letting go by age has to refuse: a deletion is never the effect of a wrong clock or a failed read."""

from datetime import datetime, timedelta

from recall_pipeline.days import utc_now
from recall_pipeline.discovery import RECORDINGS
from recall_pipeline.erasure.inventory import Inventory
from recall_pipeline.errors import UsageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive

_LISTED_WITHIN = timedelta(days=3)
_CLOCKS_APART = timedelta(hours=1)
_NEWEST_DAYS = 10
_MOST_RECORDINGS = 1000
_LARGEST_SHARE = 10


def limit_of(settings: Settings, inventory: Inventory) -> int:
    """Return how many recordings may go by age at once: what the settings say, else a tenth, 1,000 at most."""
    if settings.retention_limit is not None:
        return settings.retention_limit
    return min(_MOST_RECORDINGS, len(inventory.recordings) // _LARGEST_SHARE)


def check_clock(archive: Archive, inventory: Inventory) -> None:
    """Raise UsageError where the archive is empty, or was not listed lately by the clock of this host.

    A clock that jumped makes everything old; then the last sync lies as far away as that.
    """
    if not inventory.recordings:
        raise UsageError(f"there is no recording on file below {archive.location.root}: check RECALL_STORAGE_URL")
    now, listed_at = utc_now(), _last_listing(archive)
    if listed_at is None or now - listed_at > _LISTED_WITHIN or listed_at - now > _CLOCKS_APART:
        last = f"{listed_at:%Y-%m-%d %H:%M} UTC" if listed_at else "never"
        raise UsageError(
            f"the archive was last listed {last}, and the clock says {now:%Y-%m-%d %H:%M} UTC: "
            "sync first, or set the clock right"
        )


def _last_listing(archive: Archive) -> datetime | None:
    """Return when a sync last listed one of the newest days."""
    days = archive.days(RECORDINGS.name)[-_NEWEST_DAYS:]
    noted = [(RECORDINGS.facts(archive, day) or {}).get("listed_at") for day in days]
    return max((datetime.fromisoformat(moment) for moment in noted if moment), default=None)
