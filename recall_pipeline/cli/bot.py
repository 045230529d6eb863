"""`bot create`: send a bot that records mixed-audio MP3 (docs/design/recall-api.md, section 3)."""

import asyncio
from asyncio import sleep
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import click

from recall_pipeline.cli.arguments import MOMENT, PAIR
from recall_pipeline.days import utc_now
from recall_pipeline.errors import RecallUnreachable, UsageError
from recall_pipeline.recall_api import Bot, open_client, parse_meeting
from recall_pipeline.settings import Settings, load_settings

_SCHEDULED_AHEAD = timedelta(minutes=10)
_POOL_PATIENCE = 20  # times an empty pool is waited out, about ten minutes


@click.group("bot")
def bot_command() -> None:
    """Send a bot that records mixed-audio MP3."""


@bot_command.command("create", short_help="Send a bot to a meeting, and print its id.")
@click.argument("meeting_url", metavar="MEETING_URL")
@click.option("--join-at", type=MOMENT, help="When to join (UTC unless it says otherwise); absent: now.")
@click.option("--name", help="Name shown in the meeting, at most 100 characters.")
@click.option("--metadata", type=PAIR, multiple=True, help="Kept with the bot; may be given several times.")
def create(meeting_url: str, join_at: datetime | None, name: str | None, metadata: tuple[tuple[str, str], ...]) -> None:
    """Send a bot to MEETING_URL that records mixed-audio MP3, and print its id.

    Without the MP3 in its configuration a bot never makes one, and nothing can be archived. With --join-at at least
    10 minutes ahead the bot is scheduled and sure to come; sooner it is taken from a pool that may be empty, which is
    waited out.
    """
    if join_at and join_at < utc_now():
        raise UsageError(f"--join-at {join_at:%Y-%m-%dT%H:%MZ} lies in the past: leave it out to send the bot now")
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
            f"Warning: Recall makes no mixed-audio MP3 on {meeting.platform}; there will be nothing to archive.",
            err=True,
        )
    if join_at and join_at - utc_now() < _SCHEDULED_AHEAD:
        click.echo(
            "Warning: the bot joins in less than 10 minutes, so it is not scheduled but taken from a pool.", err=True
        )


async def _create(settings: Settings, body: Mapping[str, Any]) -> Bot:
    async with open_client(settings) as client:
        for _ in range(_POOL_PATIENCE):
            bot, wait_seconds = await client.create_bot(body)
            if bot is not None:
                return bot
            click.echo(f"The pool of ad-hoc bots is empty; trying again in {wait_seconds:.0f} s.", err=True)
            await sleep(wait_seconds or 0)
    raise RecallUnreachable("the pool of ad-hoc bots stays empty: schedule the bot with --join-at 10 minutes ahead")
