"""Poll the listings incrementally, within a budget of requests and time per tick; recent days more often.

There are two tiers: `hot` is the last two days, `rest` is the rest of the lookback. A **pass** reads all pages of a
tier once, and takes several ticks if needed (`ticks_until_seen`). Each tick resumes at the stored cursor, which may be
in the middle of a listing. With webhooks, one pass of both tiers per interval finds what the events missed.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil

from recall_pipeline.days import ONE_DAY, start_of
from recall_pipeline.errors import RecallError, RecallNotFound, RecallProtocolError, RecallRefused
from recall_pipeline.recall_api import AnyListed, Kind, RecallClient, Window
from recall_pipeline.settings import Settings

HOT = timedelta(hours=48)
TICK_WITH_EVENTS_SECONDS = 30
_NEVER = datetime.min.replace(tzinfo=UTC)
KINDS: tuple[Kind, ...] = ("bot", "recording", "audio_mixed")

Pass = dict[str, str | None]
"""The state of a pass: the URL of the next page for each unfinished listing; None for its first page."""


@dataclass(slots=True)
class PollCursor:
    """The cursor of the sensor: the pass of each tier, and the start of the latest pass. A finished pass is empty."""

    hot: Pass = field(default_factory=dict)
    rest: Pass = field(default_factory=dict)
    began_at: datetime = _NEVER

    @classmethod
    def from_json(cls, text: str | None) -> "PollCursor":
        """Parse the output of `to_json`; return an empty cursor for anything else, such as an older version."""
        try:
            stored = json.loads(text or "{}")
            return cls(
                _checked_pages(stored["hot"]),
                _checked_pages(stored["rest"]),
                datetime.fromisoformat(stored["began_at"]),
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls()

    def to_json(self) -> str:
        """Return the cursor as compact JSON."""
        stored = {"hot": self.hot, "rest": self.rest, "began_at": self.began_at.isoformat()}
        return json.dumps(stored, separators=(",", ":"))

    def start_due_passes(self, settings: Settings, now: datetime) -> None:
        """Start a new pass of each finished tier; with webhooks, of both tiers together and once per interval."""
        interval = timedelta(seconds=settings.sensor_interval_seconds)
        if settings.webhook_secret is not None:
            is_unfinished = bool(self.hot or self.rest)
            if is_unfinished or abs(now - self.began_at) < interval:  # abs: a clock that was set back must not stop it
                return
        self.began_at = now
        for tier in (self.hot, self.rest):
            tier.update({} if tier else dict.fromkeys(KINDS))


@dataclass(slots=True)
class PollResult:
    """The result of a tick: records in the order of their pages, and the error that ended it early, if any.

    `until` is the deadline in the event loop's time.
    """

    until: float
    listed: list[AnyListed] = field(default_factory=list)
    pages: int = 0
    error: str | None = None


def tick_seconds(settings: Settings) -> int:
    """Return the seconds between two ticks; shorter with webhooks, because reading events is cheap."""
    return settings.sensor_interval_seconds if settings.webhook_secret is None else TICK_WITH_EVENTS_SECONDS


def pages_per_tick(settings: Settings) -> int:
    """Return the maximum list requests per tick and endpoint: a fifth of the budget for the tick, at most a minute."""
    minutes = min(tick_seconds(settings), 60) / 60
    return max(2, int(settings.list_rpm * minutes / 5))


def page_shares(settings: Settings) -> tuple[int, int]:
    """Return the pages per tick and listing for the hot tier, and the minimum for the rest."""
    pages = pages_per_tick(settings)
    rest = max(1, pages // 5)
    return pages - rest, rest


def ticks_until_seen(settings: Settings, hot_pages: int, rest_pages: int) -> tuple[int, int]:
    """Return the ticks until a change is seen, in the hot tier and in the rest.

    `hot_pages` and `rest_pages` are the page counts of each tier's longest listing. A tick that ends early counts for
    the pages that it has read.
    """
    hot, rest = page_shares(settings)
    return ceil(hot_pages / hot), ceil(rest_pages / rest)


async def poll_listings(
    client: RecallClient, settings: Settings, cursor: PollCursor, now: datetime, until: float
) -> PollResult:
    """Read the next pages of both tiers until the shares are used or the loop's time is `until`; advance `cursor`.

    An error ends the listing in which it occurs, is returned in `PollResult.error`, and does not lose the cursor.
    """
    result = PollResult(until)
    hot_pages, rest_pages = page_shares(settings)
    boundary, horizon = now - HOT, start_of((now - settings.lookback).date())
    cursor.start_due_passes(settings, now)
    if horizon >= boundary:
        cursor.rest.clear()
    # Concurrently, so that a slow API does not starve a tier; then the rest gets what the hot tier left over.
    hot = _read_tier(client, cursor.hot, (boundary, now + ONE_DAY), hot_pages, result)
    await asyncio.gather(hot, _read_tier(client, cursor.rest, (horizon, boundary), rest_pages, result))
    await _read_tier(client, cursor.rest, (horizon, boundary), hot_pages, result)
    return result


async def _read_tier(client: RecallClient, tier: Pass, window: Window, pages: int, result: PollResult) -> None:
    """Read up to `pages` pages of each unfinished listing of a tier."""
    kinds: Sequence[Kind] = [kind for kind in KINDS if kind in tier]
    await asyncio.gather(*(_read_listing(client, kind, tier, window, pages, result) for kind in kinds))


async def _read_listing(
    client: RecallClient, kind: Kind, tier: Pass, window: Window, pages: int, result: PollResult
) -> None:
    for _ in range(pages):
        following = tier[kind]
        try:
            async with asyncio.timeout_at(result.until):
                listed, after = await client.page(kind, window, following)
        except TimeoutError:
            result.error = "the time of this tick is used: the next tick continues"
            return
        except RecallError as error:
            result.error = str(error)
            if following and isinstance(error, RecallNotFound | RecallRefused | RecallProtocolError):
                tier[kind] = None  # the page's URL is no longer valid: restart this listing
            return
        result.listed += listed
        result.pages += 1
        if after is None:
            del tier[kind]
            return
        tier[kind] = after


def _checked_pages(stored: dict[str, str | None]) -> Pass:
    return {kind: stored[kind] for kind in KINDS if kind in stored and isinstance(stored[kind], str | None)}
