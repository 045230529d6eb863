"""Look through Recall.ai's listings a little at a time: the last two days often, the rest of the lookback as it goes.

A look is bounded in requests and time, and goes on where the one before stopped, in the middle of a list if need be.
Where events tell of changes, looking is the sweep behind them: once through everything at every interval.
The pages of a tier are read in turn, so each is read once in as many looks as a pass takes: `ticks_until_seen`.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil

from recall_pipeline.days import ONE_DAY, start_of
from recall_pipeline.errors import RecallError, RecallProtocolError, RecallRefused
from recall_pipeline.recall_api import AnyListed, Kind, RecallClient, Window
from recall_pipeline.settings import Settings

HOT = timedelta(hours=48)
TICK_WITH_EVENTS_SECONDS = 30
_NEVER = datetime.min.replace(tzinfo=UTC)
KINDS: tuple[Kind, ...] = ("bot", "recording", "audio_mixed")

Pass = dict[str, str | None]
"""A pass over a tier: the next page of each listing that is not finished yet; None: its first page."""


@dataclass(slots=True)
class PollCursor:
    """How far each tier has been read, and since when; the sensor's cursor. A finished pass is empty."""

    hot: Pass = field(default_factory=dict)
    rest: Pass = field(default_factory=dict)
    began_at: datetime = _NEVER

    @classmethod
    def read(cls, text: str | None) -> "PollCursor":
        """Read what `written` gave; anything else, of an older version too, starts anew."""
        try:
            stored = json.loads(text or "{}")
            return cls(
                _checked_pages(stored["hot"]),
                _checked_pages(stored["rest"]),
                datetime.fromisoformat(stored["began_at"]),
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls()

    def written(self) -> str:
        """Return the place as compact JSON."""
        stored = {"hot": self.hot, "rest": self.rest, "began_at": self.began_at.isoformat()}
        return json.dumps(stored, separators=(",", ":"))

    def start_due_passes(self, settings: Settings, now: datetime) -> None:
        """Begin the passes that are due: each that is finished, or with events all of them once an interval."""
        interval = timedelta(seconds=settings.sensor_interval_seconds)
        if settings.webhook_secret is not None:
            is_sweeping = bool(self.hot or self.rest)
            if is_sweeping or abs(now - self.began_at) < interval:  # a clock set back must not stop it for ever
                return
        self.began_at = now
        for tier in (self.hot, self.rest):
            tier.update({} if tier else dict.fromkeys(KINDS))


@dataclass(slots=True)
class PollResult:
    """What a look brought: records in the order of their pages, and why it stopped early, if it did."""

    until: float
    listed: list[AnyListed] = field(default_factory=list)
    pages: int = 0
    trouble: str | None = None


def tick_seconds(settings: Settings) -> int:
    """Return the time between two ticks: short where events come in, since hearing them is cheap."""
    return settings.sensor_interval_seconds if settings.webhook_secret is None else TICK_WITH_EVENTS_SECONDS


def pages_per_tick(settings: Settings) -> int:
    """Return how many list requests a look may send to each endpoint: a fifth of what the budget gives a minute."""
    minutes = min(tick_seconds(settings), 60) / 60
    return max(2, int(settings.list_rpm * minutes / 5))


def shares(settings: Settings) -> tuple[int, int]:
    """Return how many of a look's pages go to the last two days, and how many at least to the rest."""
    pages = pages_per_tick(settings)
    rest = max(1, pages // 5)
    return pages - rest, rest


def ticks_until_seen(settings: Settings, hot_pages: int, rest_pages: int) -> tuple[int, int]:
    """Return within how many looks a change is seen: of the last two days, and of the rest of the lookback.

    `hot_pages` and `rest_pages` are those of each tier's longest list. A look that fails, or whose time is up before
    its share is, counts for the pages that it did read.
    """
    hot, rest = shares(settings)
    return ceil(hot_pages / hot), ceil(rest_pages / rest)


async def poll_listings(
    client: RecallClient, settings: Settings, place: PollCursor, now: datetime, until: float
) -> PollResult:
    """Read on in both tiers until the share is spent or the loop's time is `until`, and move `place` along.

    An error ends the list in which it happens, is told in `Seen.trouble`, and loses no place.
    """
    seen = PollResult(until)
    hot_pages, rest_pages = shares(settings)
    boundary, horizon = now - HOT, start_of((now - settings.lookback).date())
    place.start_due_passes(settings, now)
    if horizon >= boundary:
        place.rest.clear()
    # Side by side, so that a slow API takes no tier's time away; then the rest gets what the two days left over.
    hot = _read_on(client, place.hot, (boundary, now + ONE_DAY), hot_pages, seen)
    await asyncio.gather(hot, _read_on(client, place.rest, (horizon, boundary), rest_pages, seen))
    await _read_on(client, place.rest, (horizon, boundary), hot_pages, seen)
    return seen


async def _read_on(client: RecallClient, progress: Pass, window: Window, pages: int, seen: PollResult) -> None:
    """Read up to `pages` of each listing of a pass."""
    kinds: Sequence[Kind] = [kind for kind in KINDS if kind in progress]
    await asyncio.gather(*(_read_list(client, kind, progress, window, pages, seen) for kind in kinds))


async def _read_list(
    client: RecallClient, kind: Kind, progress: Pass, window: Window, pages: int, seen: PollResult
) -> None:
    for _ in range(pages):
        following = progress[kind]
        try:
            async with asyncio.timeout_at(seen.until):
                listed, after = await client.page(kind, window, following)
        except TimeoutError:
            seen.trouble = "the time of this tick is up; the next goes on here"
            return
        except RecallError as error:
            seen.trouble = str(error)
            if following and isinstance(error, RecallRefused | RecallProtocolError):
                progress[kind] = None  # the page's address is no longer good: this list from its start
            return
        seen.listed += listed
        seen.pages += 1
        if after is None:
            del progress[kind]
            return
        progress[kind] = after


def _checked_pages(stored: dict[str, str | None]) -> Pass:
    return {kind: stored[kind] for kind in KINDS if kind in stored and isinstance(stored[kind], str | None)}
