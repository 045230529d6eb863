"""One listing for neighbouring days, so that a backfill walks the lists once for many of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from recall_pipeline.days import ONE_DAY, utc_now
from recall_pipeline.recall_api.client import RecallClient
from recall_pipeline.recall_api.day_listing import Listing, list_days
from recall_pipeline.recall_api.upstream import Lookups, Upstream

_LONGEST_SPAN_DAYS = 14  # bounds the memory of a backfill
_STALE_AFTER = timedelta(minutes=45)  # a listing's URLs and statuses grow old


@dataclass(slots=True)
class Listings:
    """Listings shared by the days of one run or one `sync`.

    `days` are those that will be asked for; with none, each day is listed by itself.
    """

    days: Sequence[date] = ()
    _current: tuple[Listing, Lookups] | None = field(default=None, init=False)

    async def of(self, client: RecallClient, day: date) -> Upstream:
        """Return what Recall.ai shows about `day`; the lists are walked where no listing covers it or it is stale."""
        if self._current is None or not _covers(self._current[0], day):
            self._current = await list_days(client, day, self._reach(day)), Lookups()
        return Upstream(client, *self._current)

    def release(self, day: date) -> None:
        """Free the memory of the listing if `day`, which is done with, is the last that it covers."""
        if self._current and self._current[0].last <= day:
            self._current = None

    def _reach(self, day: date) -> date:
        """Return the last day worth listing together with `day`: consecutive ones, up to the longest span."""
        wanted, last = set(self.days), day
        while last + ONE_DAY in wanted and (last - day).days + 1 < _LONGEST_SPAN_DAYS:
            last += ONE_DAY
        return last


def _covers(listing: Listing, day: date) -> bool:
    return listing.first <= day <= listing.last and utc_now() - listing.listed_at <= _STALE_AFTER
