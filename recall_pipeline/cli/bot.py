"""`bot create`: send a bot that records mixed-audio MP3 (docs/design/recall-api.md, section 3)."""

import asyncio
from asyncio import sleep
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import click

from recall_pipeline.cli.arguments import PAIR, TIMESTAMP
from recall_pipeline.days import utc_now
from recall_pipeline.errors import RecallUnreachable, UsageError
from recall_pipeline.recall_api import Bot, open_client, parse_meeting
from recall_pipeline.settings import Settings, load_settings

_SCHEDULED_AHEAD = timedelta(minutes=10)
_POOL_ATTEMPTS = 20  # about ten minutes in total


@click.group("bot")
def bot_command() -> None:
    """Send a bot that records mixed-audio MP3."""


@bot_command.command("create", short_help="Send a bot to a meeting, and print its id.")
@click.argument("meeting_url", metavar="MEETING_URL")
@click.option("--join-at", type=TIMESTAMP, help="When to join; UTC if it has no offset.  [default: now]")
@click.option("--name", help="Name shown in the meeting, at most 100 characters.")
@click.option("--metadata", type=PAIR, multiple=True, help="Stored with the bot; can be repeated.")
def create(meeting_url: str, join_at: datetime | None, name: str | None, metadata: tuple[tuple[str, str], ...]) -> None:
    """Send a bot to MEETING_URL that records mixed-audio MP3, and print its id.

    A bot records an MP3 only if its configuration requests one; without it there is nothing to archive. With
    --join-at at least 10 minutes ahead, the bot is scheduled and guaranteed. Otherwise it comes from a pool of ad-hoc
    bots; if the pool is empty, this command retries for about 10 minutes.
    """
    if join_at and join_at < utc_now():
        raise UsageError(f"--join-at {join_at:%Y-%m-%dT%H:%MZ} is in the past: omit it to send the bot now")
    _warn(meeting_url, join_at)
    body: dict[str, Any] = {"meeting_url": meeting_url, "recording_config": {"audio_mixed_mp3": {}}}
    body |= {"bot_name": name} if name else {}
    body |= {"join_at": join_at.isoformat()} if join_at else {}
    body |= {"metadata": dict(metadata)} if metadata else {}
    bot = asyncio.run(_create(load_settings(), body))
    click.echo(bot.id)


def _warn(meeting_url: str, join_at: datetime | None) -> None:
    meeting = parse_meeting(meeting_url)
    if not meeting.makes_mp3:
        click.echo(
            f"Warning: Recall does not record mixed-audio MP3 on {meeting.platform}; there will be nothing to archive.",
            err=True,
        )
    if join_at and join_at - utc_now() < _SCHEDULED_AHEAD:
        click.echo(
            "Warning: the bot joins in less than 10 minutes, so it comes from the ad-hoc pool and is not scheduled.",
            err=True,
        )


async def _create(settings: Settings, body: Mapping[str, Any]) -> Bot:
    async with open_client(settings) as client:
        for _ in range(_POOL_ATTEMPTS):
            bot, wait_seconds = await client.create_bot(body)
            if bot is not None:
                return bot
            click.echo(f"The pool of ad-hoc bots is empty; retrying in {wait_seconds:.0f} s.", err=True)
            await sleep(wait_seconds or 0)
    raise RecallUnreachable("the pool of ad-hoc bots is still empty: schedule the bot with --join-at 10 minutes ahead")
