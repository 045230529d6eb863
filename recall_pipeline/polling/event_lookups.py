"""Ask Recall.ai about what its events name: an event is a hint, and only the answer is held against what is on file.

So an event that is late, repeated or out of order leads to nothing new, and one that is lost to a later look.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from recall_pipeline.errors import RecallError, RecallProtocolError, RecallRefused
from recall_pipeline.recall_api import AnyListed, Kind, RecallClient
from recall_pipeline.settings import Settings
from recall_pipeline.webhooks import Event

_AT_ONCE = 8
_TELLING = frozenset(
    f"{kind}.{code}" for kind in ("bot", "recording", "audio_mixed") for code in ("done", "fatal", "failed", "deleted")
)
Named = tuple[Kind, str]
"""An object of Recall.ai's, by its kind and id."""


@dataclass(frozen=True, slots=True)
class EventLookups:
    """What a tick made of the events that wait: records as they are now, and the events that need no second look."""

    listed: list[AnyListed]
    done: list[Event]
    trouble: str | None = None


def lookups_per_tick(settings: Settings, tick_seconds: float) -> int:
    """Return how many objects of each kind a tick may ask for: half of what the budget gives in its time."""
    return max(2, int(settings.object_rpm * tick_seconds / 60 / 2))


async def look_up_events(client: RecallClient, events: Sequence[Event], most: int, until: float) -> EventLookups:
    """Ask for what `events` name, at most `most` objects of a kind, until the loop's time is `until`.

    Events whose objects could not be asked for are not done: they wait for the next tick.
    """
    taken = list(_first(events, most))
    answers = await _answers(client, dict.fromkeys(name for event in taken for name in named_in(event)), until)
    troubles = [str(answer) for answer in answers.values() if isinstance(answer, RecallError)]
    return EventLookups(
        listed=[answer for answer in answers.values() if answer and not isinstance(answer, RecallError)],
        done=[event for event in taken if all(_is_final(answers, name) for name in named_in(event))],
        trouble=troubles[0] if troubles else None,
    )


def named_in(event: Event) -> list[Named]:
    """Return what has to be asked for to learn of `event`: its audio tells the state, its recording the day."""
    if event.type not in _TELLING:
        return []
    ids: dict[Kind, str | None] = {"audio_mixed": event.audio_id, "recording": event.recording_id}
    if event.type.startswith("bot."):
        ids = {"bot": event.bot_id}
    return [(kind, object_id) for kind, object_id in ids.items() if object_id]


def _first(events: Sequence[Event], most: int) -> Iterable[Event]:
    """Yield events as long as no kind of object is named more than `most` times."""
    asked: set[Named] = set()
    for event in events:
        asked.update(named_in(event))
        if max(Counter(kind for kind, _ in asked).values(), default=0) > most:
            return
        yield event


async def _answers(client: RecallClient, named: Iterable[Named], until: float) -> dict[Named, Any]:
    """Return the record of each object that answered in time: None when it is gone, or the error of its own."""
    asking: dict[Kind, Callable[[str], Awaitable[Any]]] = {
        "bot": client.bot,
        "recording": client.recording,
        "audio_mixed": client.audio_mixed_by_id,
    }
    answers: dict[Named, Any] = {}
    gate = asyncio.Semaphore(_AT_ONCE)

    async def ask(name: Named) -> None:
        kind, object_id = name
        async with gate:
            try:
                answers[name] = await asking[kind](object_id)
            except RecallError as fault:
                answers[name] = fault

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout_at(until):
            await asyncio.gather(*map(ask, named))
    return answers


def _is_final(answers: dict[Named, Any], name: Named) -> bool:
    """Whether asking again would bring the same; the sweep comes by what is refused."""
    if name not in answers:
        return False
    answer = answers[name]
    return not isinstance(answer, RecallError) or isinstance(answer, RecallProtocolError | RecallRefused)
