"""Bots whose recordings Recall removed before any sync saw one: they have no recording id, so no row but their own."""

from collections.abc import Iterable
from datetime import date

from recall_pipeline.days import ONE_DAY, day_of, days_between
from recall_pipeline.discovery.bots import BOTS, BotRow
from recall_pipeline.discovery.recordings import RECORDINGS
from recall_pipeline.storage import Archive

_LONGEST_WAIT = 2 * ONE_DAY
"""How long after its day a bot can still begin to record."""


def expired_bots(archive: Archive, day: date) -> list[BotRow]:
    """Return the bots of `day` that recorded, whose media have expired, and of which no recording has a row.

    Erased bots and bots of erased recordings are not among them. Raises StorageError.
    """
    suspects = [row for row in BOTS.read(archive, day) or () if row.media_expired and row.has_recorded]
    if not suspects:
        return []
    known = {bot_id for near in _days_of_recordings(day, suspects) for bot_id in _bots_recorded_on(archive, near)}
    return [row for row in suspects if row.bot_id not in known]


def _days_of_recordings(day: date, bots: Iterable[BotRow]) -> list[date]:
    changed = [day_of(row.last_changed_at) for row in bots if row.last_changed_at]
    last = min(max(changed, default=day), day + _LONGEST_WAIT)
    return list(days_between(day - ONE_DAY, max(day, last)))  # a bot can join before the midnight of its `join_at`


def _bots_recorded_on(archive: Archive, day: date) -> set[str]:
    return {bot_id for (bot_id,) in RECORDINGS.read_columns(archive, day, "bot_id") if bot_id}
