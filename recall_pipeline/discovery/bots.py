"""The table `bots`: which bots belong to a day (docs/design/interface.md, section 2)."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from recall_pipeline.audit import erased_in
from recall_pipeline.days import ONE_DAY, day_of
from recall_pipeline.recall_api import Bot
from recall_pipeline.storage import ArchiveDay, Table, column

if TYPE_CHECKING:
    from recall_pipeline.recall_api import Upstream


@dataclass(frozen=True, slots=True)
class BotRow:
    """A bot at the last sync."""

    bot_id: str = column("Recall's id of the bot")
    bot_name: str | None = column("Name it joined under")
    platform: str | None = column("Meeting platform, Recall's code")
    meeting_id: str | None = column("The platform's id of the meeting; never a password")
    join_at: datetime | None = column("When it was to join, UTC; Recall may clear it afterwards")
    status: str | None = column("Latest status code; an open set")
    is_finished: bool = column("Whether it has ended")
    media_expired: bool = column("Whether Recall has removed its media")
    mp3_requested: bool | None = column("Whether it was configured to make a mixed-audio MP3; null: unknown")
    first_seen_at: datetime | None = column("Its first status change, UTC")
    last_changed_at: datetime | None = column("Its latest status change, UTC")
    metadata: str | None = column("Recall's metadata, JSON")
    other_fields: str | None = column(
        "Fields of the API that this project does not know, JSON without secrets and free text"
    )

    @classmethod
    def of(cls, bot: Bot) -> "BotRow":
        """Return the row of a bot as the API shows it."""
        moments = [change.created_at for change in bot.status_changes if change.created_at]
        return cls(
            bot_id=bot.id,
            bot_name=bot.bot_name,
            platform=bot.meeting.platform,
            meeting_id=bot.meeting.meeting_id,
            join_at=bot.join_at,
            status=bot.status,
            is_finished=bot.is_finished,
            media_expired=bot.media_expired,
            mp3_requested=bot.mp3_requested,
            first_seen_at=min(moments, default=None),
            last_changed_at=max(moments, default=None),
            metadata=metadata_json(bot.metadata),
            other_fields=bot.other_fields,
        )

    @property
    def is_complete(self) -> bool:
        """Whether the API shows what a recording takes from its bot. Recall clears the meeting URL after some days."""
        return None not in (self.bot_name, self.platform, self.meeting_id, self.mp3_requested)

    def merged_with(self, before: "BotRow | None") -> "BotRow":
        """Return this row with missing values taken from the previous row. What the API leaves out is not a change."""
        if before is None:
            return self
        names = [each.name for each in dataclasses.fields(self) if each.name != "other_fields"]
        kept = {name: getattr(before, name) for name in names if getattr(self, name) is None}
        ended, expired = self.is_finished or before.is_finished, self.media_expired or before.media_expired
        return dataclasses.replace(self, is_finished=ended, media_expired=expired, **kept)

    def redacted(self) -> "BotRow":
        """Return the row of an erased bot: its id only. It is not looked up again."""
        return BotRow(bot_id=self.bot_id, is_finished=True, media_expired=False)


BOTS = Table("bots", BotRow)


def metadata_json(metadata: Mapping[str, Any] | None) -> str | None:
    """Return Recall's metadata as JSON; None if the API did not show it."""
    return None if metadata is None else json.dumps(metadata, sort_keys=True, ensure_ascii=False)


async def sync_bots(day: ArchiveDay, upstream: "Upstream") -> list[BotRow]:
    """Write the table `bots` of a day: bots listed, bots that its recordings name, and bots filed before.

    Returns its rows. Raises RecallError and StorageError.
    """
    await look_up_unlisted_bots(day, upstream)
    filed = {row.bot_id: row for row in day.rows(BOTS)}
    elsewhere = _filed_elsewhere(day, (bot for bot in upstream.bots_of(day.day) if bot.id not in filed))
    shown = {bot_id: BotRow.of(upstream.bots[bot_id]) for bot_id in filed if bot_id in upstream.bots}
    shown |= {bot.id: BotRow.of(bot) for bot in upstream.bots_of(day.day) if bot.id not in elsewhere}
    filed |= {bot_id: row.merged_with(filed.get(bot_id)) for bot_id, row in shown.items()}
    filed |= {bot_id: filed[bot_id].redacted() for bot_id in erased_in(day).bots & filed.keys()}
    rows = sorted(filed.values(), key=lambda row: row.bot_id)
    day.write(BOTS, rows)
    return rows


def filed_bots(day: ArchiveDay, *days: date) -> dict[str, BotRow]:
    """Return the bots filed under `days`, by id. A recording's bot is filed under its day or the day before."""
    return {row.bot_id: row for filed in days for row in day.rows(BOTS, filed)}


async def look_up_unlisted_bots(day: ArchiveDay, upstream: "Upstream") -> None:
    """Look up the bots that recordings name, unless they are listed or filed as finished.

    Recordings of the next day count too, as far as they are listed: their bot may have joined before midnight.
    """
    near = (day.day, day.day + ONE_DAY)
    named = {row.bot.id for each in near for row in upstream.recordings_of(each) if row.bot}
    if unlisted := {bot_id for bot_id in named if bot_id not in upstream.bots}:
        filed = filed_bots(day, day.day - ONE_DAY, *near)
        await upstream.look_up_bots(unlisted - {bot_id for bot_id, row in filed.items() if row.is_finished})


def _filed_elsewhere(day: ArchiveDay, bots: Iterable[Bot]) -> set[str]:
    """Return those of `bots` that are filed under another day: once filed, a bot stays there, even if rescheduled."""
    wanted: set[str] = set()
    first = day.day  # perhaps the first day of the calendar, which has none before it
    for bot in bots:
        wanted.add(bot.id)
        first = min([first, *(day_of(change.created_at) for change in bot.status_changes if change.created_at)])
    if not wanted:
        return set()
    days = [
        filed
        for filed in day.archive.days("bots")
        if first <= filed + ONE_DAY and day.day != filed <= day.day + ONE_DAY
    ]
    return wanted & filed_bots(day, *days).keys()
