"""Bots whose recordings Recall removed before any sync saw one: they have no recording id, so no row but their own.

Their ids are a fact of the table `recordings`, because whether a recording was seen is known when it is written.
"""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from recall_pipeline.audit import erased_in
from recall_pipeline.days import ONE_DAY
from recall_pipeline.discovery.bots import BOTS
from recall_pipeline.recall_api import Bot
from recall_pipeline.storage import ArchiveDay, Table

if TYPE_CHECKING:
    from recall_pipeline.recall_api import Upstream

_FACT = "bots_expired"


def expired_bots(facts: Mapping[str, str] | None) -> list[str]:
    """Return the ids of these bots from the facts of a day's table `recordings`; none if there is no table."""
    return (facts or {}).get(_FACT, "").split()


def expired_bots_fact(
    day: ArchiveDay, upstream: "Upstream", recordings: Table[Any], bots_with_recording: Collection[str]
) -> dict[str, str]:
    """Return the fact about the bots of `day`: those shown now and those found before, without the erased ones.

    `bots_with_recording`: ids of the bots of the day's recordings. Raises StorageError.
    """
    stored = day.stored(recordings)
    filed = {row.bot_id for row in day.rows(BOTS)} - set(bots_with_recording)
    found = {bot_id for bot_id in filed if (bot := upstream.bots.get(bot_id)) and _is_expired_unseen(bot)}
    if found:  # a recording may have begun after midnight, or its bot before
        near = (day.day - ONE_DAY, day.day + ONE_DAY)
        found -= {row.bot_id for other in near for row in day.rows(recordings, other)}
    found |= set(expired_bots(stored.facts if stored else None)) - set(bots_with_recording)
    found -= erased_in(day).bots
    return {_FACT: " ".join(sorted(found))} if found else {}


def _is_expired_unseen(bot: Bot) -> bool:
    return bot.media_expired and bot.has_recorded and not bot.recordings
