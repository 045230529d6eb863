"""Which bots belong to a day (contract.md section 2)."""

import json
from dataclasses import dataclass
from datetime import date, datetime

from recall_pipeline.days import ONE_DAY
from recall_pipeline.recall import Bot, Listing, RecallClient
from recall_pipeline.recall.asking import ask_each
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


BOTS = Table("bots", BotRow)


async def discover_bots(client: RecallClient, listing: Listing, archive: Archive, day: date) -> list[BotRow]:
    """Return every bot of `day`: those listed, those its recordings name, and those filed before."""
    await complete_bots(client, listing, archive, day)
    filed = {row.bot_id: row for row in BOTS.read(archive, day) or []}
    filed_elsewhere = _filed_near(archive, day)
    for bot in listing.bots.values():
        if bot.id in filed or (bot.day == day and bot.id not in filed_elsewhere):
            filed[bot.id] = BotRow.of(bot)
    return sorted(filed.values(), key=lambda row: row.bot_id)


def known_bots(archive: Archive, day: date) -> dict[str, BotRow]:
    """Return the bots on file for `day` and the day before, where those of its recordings usually are."""
    rows = [row for near in (day - ONE_DAY, day) for row in BOTS.read(archive, near) or []]
    return {row.bot_id: row for row in rows}


async def complete_bots(client: RecallClient, listing: Listing, archive: Archive, day: date) -> None:
    """Ask for the bots that the day's recordings name, and neither the listing nor a finished row knows."""
    named = {recording.bot.id for recording in listing.recordings_of(day) if recording.bot}
    finished = {bot_id for bot_id, row in known_bots(archive, day).items() if row.is_finished}
    missing = named - listing.bots.keys() - finished - listing.bots_gone
    for bot_id, bot in (await ask_each(client.bot, sorted(missing))).items():
        if bot is None:
            listing.bots_gone.add(bot_id)
        else:
            listing.bots[bot_id] = bot


def _filed_near(archive: Archive, day: date) -> set[str]:
    """Return the bots filed under a neighbouring day: once filed, a bot stays there."""
    rows = [row for near in (day - ONE_DAY, day + ONE_DAY) for row in BOTS.read(archive, near) or []]
    return {row.bot_id for row in rows}
