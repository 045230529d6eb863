"""List a span of days with three paginated listings, independent of the number of meetings.

The window for bots has a margin of one day on each side, because the filter may round to days. The other two have a
margin of one minute, because inclusive bounds are not documented (docs/design/recall-api.md, sections 4 to 6).
Each object is then assigned to its own day.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from recall_pipeline.days import ONE_DAY, end_of, start_of, utc_now
from recall_pipeline.recall_api.client import RecallClient
from recall_pipeline.recall_api.records import AudioMixed, Bot, Recording

_MARGIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Listing:
    """Complete listings of the days from `first` to `last`, taken at `listed_at`; records by id.

    `rejected` states position and fault of each row that was not usable. `unknowns` counts the rows of each day with
    something that this version does not know.
    """

    first: date
    last: date
    listed_at: datetime
    bots: dict[str, Bot]
    recordings: dict[str, Recording]
    audio_mixed: dict[str, AudioMixed]
    rejected: tuple[str, ...] = ()
    unknowns: Mapping[date, Mapping[str, int]] = field(default_factory=dict)


async def list_days(client: RecallClient, first: date, last: date) -> Listing:
    """Read the three listings for the days from `first` to `last`; raise RecallError if any is incomplete."""
    listed_at = utc_now()
    created = (start_of(first) - _MARGIN, end_of(last) + _MARGIN)
    already_rejected = len(client.rejected)
    try:
        async with asyncio.TaskGroup() as walks:
            bots = walks.create_task(client.bots((start_of(first - ONE_DAY), end_of(last + ONE_DAY))))
            recordings = walks.create_task(client.recordings(created))
            audio = walks.create_task(client.audio_mixed(created))
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    rejected = tuple(client.rejected[already_rejected:])
    return Listing(
        first, last, listed_at, bots.result(), recordings.result(), audio.result(), rejected, client.unknowns
    )
