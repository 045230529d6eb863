"""Which bots belong to a day (docs/design/interface.md, section 2)."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from recall_pipeline.audit import erased_on
from recall_pipeline.days import ONE_DAY, day_of
from recall_pipeline.recall_api import Bot, Listing, RecallClient, capture_errors, lookup_many
from recall_pipeline.storage import Archive, Table, column


@dataclass(frozen=True, slots=True)
class BotRow:
    """A bot, as it was last seen."""

    bot_id: str = column("Recall's id of the bot")
    bot_name: str | None = column("Name it joined under")
    platform: str | None = column("Meeting platform, Recall's code")
    meeting_id: str | None = column("The platform's id of the meeting; never a password")
    join_at: datetime | None = column("When it was to join, UTC; Recall may clear it afterwards")
    status: str | None = column("Latest status code; an open set")
    is_finished: bool = column("Whether it came to an end")
    media_expired: bool = column("Whether Recall has removed its media")
    mp3_requested: bool | None = column("Whether it was told to make a mixed-audio MP3; null: not known")
    first_seen_at: datetime | None = column("Its first status change, UTC")
    last_changed_at: datetime | None = column("Its latest status change, UTC")
    metadata: str | None = column("Recall's metadata, JSON")
    other_fields: str | None = column("Fields of the API that this project does not know, JSON without secrets")

    @classmethod
    def of(cls, bot: Bot) -> "BotRow":
        """Make the row of a bot as the API shows it."""
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
            metadata=json.dumps(bot.metadata, sort_keys=True, ensure_ascii=False),
            other_fields=bot.other_fields,
        )

    def redacted(self) -> "BotRow":
        """Return what may be kept of a bot that was forgotten: its id; it is not asked for again."""
        return BotRow(bot_id=self.bot_id, is_finished=True, media_expired=False)


BOTS = Table("bots", BotRow)


async def discover_bots(client: RecallClient, listing: Listing, archive: Archive, day: date) -> list[BotRow]:
    """Return every bot of `day`: those listed, those its recordings name, and those filed before."""
    await complete_bots(client, listing, archive, day)
    filed = {row.bot_id: row for row in BOTS.read(archive, day) or []}
    listed = [bot for bot in listing.bots.values() if bot.id in filed or bot.day == day]
    filed_elsewhere = _filed_elsewhere(archive, day, [bot for bot in listed if bot.id not in filed])
    filed |= {bot.id: BotRow.of(bot) for bot in listed if bot.id not in filed_elsewhere}
    filed |= {bot_id: filed[bot_id].redacted() for bot_id in erased_on(archive, day).bots & filed.keys()}
    return sorted(filed.values(), key=lambda row: row.bot_id)


def known_bots(archive: Archive, *days: date) -> dict[str, BotRow]:
    """Return the bots on file for `days`; those of a day's recordings usually are in it or in the day before."""
    return {row.bot_id: row for day in days for row in BOTS.read(archive, day) or []}


async def complete_bots(client: RecallClient, listing: Listing, archive: Archive, day: date) -> None:
    """Ask for the bots that recordings name, and neither the listing nor a finished row knows.

    The next day's recordings count too, as far as they are listed: their bot may have joined before midnight.
    """
    near = (day, day + ONE_DAY)
    named = {row.bot.id for row in listing.recordings.values() if row.bot and row.day in near}
    unlisted = named - listing.bots.keys() - listing.bots_gone
    if not unlisted:
        return
    archive_state = known_bots(archive, day - ONE_DAY, *near)
    finished = {bot_id for bot_id, row in archive_state.items() if row.is_finished}
    for bot_id, answer in (await lookup_many(capture_errors(client.bot), sorted(unlisted - finished))).items():
        if answer is None:
            listing.bots_gone.add(bot_id)
        elif isinstance(answer, Bot):
            listing.bots[bot_id] = answer


def _filed_elsewhere(archive: Archive, day: date, bots: Iterable[Bot]) -> set[str]:
    """Return those of `bots` that are filed under another day: once filed, a bot stays there, though put off."""
    wanted = {bot.id: bot for bot in bots}
    if not wanted:
        return set()
    told = [change.created_at for bot in wanted.values() for change in bot.status_changes if change.created_at]
    first = min((day, *map(day_of, told)))  # perhaps the first day of the calendar, before which there is none
    days = [filed for filed in archive.days("bots") if first <= filed + ONE_DAY and day != filed <= day + ONE_DAY]
    return wanted.keys() & known_bots(archive, *days).keys()
