"""One listing for neighbouring days, so that a backfill walks the lists once for many of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from recall_pipeline.days import ONE_DAY, utc_now
from recall_pipeline.recall_api.client import RecallClient
from recall_pipeline.recall_api.day_listing import Listing, list_days, renew_links
from recall_pipeline.recall_api.link_expiry import links_expire_at
from recall_pipeline.recall_api.listing_spool import ListingSpool, spool_file
from recall_pipeline.recall_api.upstream import Lookups, Upstream

_LONGEST_SPAN_DAYS = 14  # a listing grows old while the downloads of its days run
_STALE_AFTER = timedelta(minutes=45)  # statuses grow old
_SHORTEST_LIFE = timedelta(minutes=5)  # of a link that is worth requesting


@dataclass(slots=True)
class Listings:
    """Listings shared by the days of one run or one `sync`.

    `days` are those that will be asked for; with none, each day is listed by itself. `open_folder` returns the folder
    of the listing's file; without it no other process can continue a walk.
    """

    days: Sequence[date] = ()
    open_folder: Callable[[], Path] | None = None
    _current: tuple[Listing, Lookups] | None = field(default=None, init=False)

    async def of(self, client: RecallClient, day: date) -> Upstream:
        """Return what Recall.ai shows about `day`; the lists are walked where no listing covers it or it is stale."""
        if self._current is None or not _covers(self._current[0], day):
            self.close()
            last = self._reach(day)
            listing = await self._listed(client, day, last)
            self._current = listing, Lookups()
        elif _needs_links(self._current[0], day):
            await renew_links(client, self._current[0], day)
        return Upstream(client, *self._current)

    def release(self, day: date) -> None:
        """Free the listing if `day`, which is done with, is the last that it covers."""
        if self._current and self._current[0].last <= day:
            self.close()

    def close(self) -> None:
        """Free the listing, and remove its file."""
        if self._current:
            self._current[0].spool.close()
        self._current = None

    async def _listed(self, client: RecallClient, first: date, last: date) -> Listing:
        spool = self._spool(client, first, last)
        try:
            return await list_days(client, first, last, spool)
        except BaseException:
            spool.suspend()  # whatever keeps the exception keeps the spool, and with it the file
            raise

    def _spool(self, client: RecallClient, first: date, last: date) -> ListingSpool:
        if self.open_folder is None:
            return ListingSpool()
        return ListingSpool(spool_file(self.open_folder(), first, last), client.workspace)

    def _reach(self, day: date) -> date:
        """Return the last day worth listing together with `day`: consecutive ones, up to the longest span."""
        wanted, last = set(self.days), day
        while last + ONE_DAY in wanted and (last - day).days + 1 < _LONGEST_SPAN_DAYS:
            last += ONE_DAY
        return last


def _covers(listing: Listing, day: date) -> bool:
    """Whether a listing covers `day` and is not stale. One that took long to read lasts as long again."""
    lasts = max(_STALE_AFTER, listing.ended_at - listing.listed_at)
    return listing.first <= day <= listing.last and utc_now() - listing.ended_at <= lasts


def _needs_links(listing: Listing, day: date) -> bool:
    """Whether links of the day are not in memory, or about to expire."""
    if listing.spool.lacks_links(day):
        return True
    expires_at: datetime | None = links_expire_at(listing.spool.links.values())
    return expires_at is not None and expires_at - utc_now() < _SHORTEST_LIFE
