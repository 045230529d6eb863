"""List a span of days with three paginated listings, independent of the number of meetings.

The window for bots has a margin of one day on each side, because the filter may round to days. The other two have a
margin of one minute, because inclusive bounds are not documented (docs/design/recall-api.md, sections 4 to 6).
Each object is then assigned to its own day.
"""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from recall_pipeline.days import ONE_DAY, end_of, start_of, utc_now
from recall_pipeline.recall_api.client import RecallClient
from recall_pipeline.recall_api.list_windows import Window
from recall_pipeline.recall_api.listing_spool import MOST_LINKS, ListingSpool, SpooledRecords
from recall_pipeline.recall_api.records import AudioMixed, Bot, Recording

_MARGIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Listing:
    """Complete listings of the days from `first` to `last`, whose walks began at `listed_at` and ended at `ended_at`.

    `rejected` states position and fault of each row that was not usable.
    """

    first: date
    last: date
    listed_at: datetime
    ended_at: datetime
    spool: ListingSpool
    rejected: tuple[str, ...] = ()

    @property
    def bots(self) -> SpooledRecords[Bot]:
        """The listed bots, by id."""
        return self.spool.bots

    @property
    def recordings(self) -> SpooledRecords[Recording]:
        """The listed recordings, by id."""
        return self.spool.recordings

    @property
    def audio_mixed(self) -> SpooledRecords[AudioMixed]:
        """The listed artifacts, by id, with the links that are in memory."""
        return self.spool.audio_mixed

    def unknowns_of(self, day: date) -> Mapping[str, int]:
        """Return the numbers of rows of a day with something that this version does not know, by name."""
        return self.spool.unknowns_of(day)


async def list_days(client: RecallClient, first: date, last: date, spool: ListingSpool | None = None) -> Listing:
    """Read the three listings for the days from `first` to `last`; raise RecallError if any is incomplete.

    A listing that an earlier process began in `spool` is continued.
    """
    spool = spool or ListingSpool()
    spool.most_links = MOST_LINKS if last > first else sys.maxsize
    already_rejected = len(client.rejected)
    try:
        async with asyncio.TaskGroup() as walks:
            bot_window = (start_of(first - ONE_DAY), end_of(last + ONE_DAY))
            walks.create_task(client.walk_into(spool, "bot", bot_window))
            walks.create_task(client.walk_into(spool, "recording", _created(first, last)))
            walks.create_task(client.walk_into(spool, "audio_mixed", _created(first, last)))
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    rejected = tuple(client.rejected[already_rejected:])
    return Listing(first, last, spool.listed_at, utc_now(), spool, rejected)


async def renew_links(client: RecallClient, listing: Listing, day: date) -> None:
    """List the artifacts of one day again, for new links. Raises RecallError."""
    listing.spool.links.clear()
    listing.spool.most_links = sys.maxsize
    listing.spool.rewind("audio_mixed")
    await client.walk_into(listing.spool, "audio_mixed", _created(day, day))


def _created(first: date, last: date) -> Window:
    return start_of(first) - _MARGIN, end_of(last) + _MARGIN
