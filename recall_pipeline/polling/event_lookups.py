"""Look up the objects that webhook events name. An event is a hint: only the lookup is compared with the archive.

So a late, repeated or reordered event has no effect of its own, and a lost event only delays a change to the next poll.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from recall_pipeline.errors import RecallError, RecallProtocolError, RecallRefused
from recall_pipeline.recall_api import FINISHED, AnyListed, Kind, RecallClient
from recall_pipeline.settings import Settings
from recall_pipeline.webhooks import Event

_CONCURRENT_LOOKUPS = 8
_RELEVANT_TYPES = frozenset(
    [
        *(f"{kind}.{code}" for kind in ("recording", "audio_mixed") for code in ("done", "failed", "deleted")),
        *(f"bot.{code}" for code in FINISHED | {"failed", "deleted"}),
        *(f"sdk_upload.{code}" for code in ("complete", "failed")),
    ]
)
ObjectKey = tuple[Kind, str]
"""Kind and id of an object of Recall.ai."""


@dataclass(frozen=True, slots=True)
class EventLookups:
    """The result of the lookups: each event that is done with the current records, and the first error, if any."""

    done: list[tuple[Event, list[AnyListed]]]
    error: str | None = None


def lookups_per_tick(settings: Settings, tick_seconds: float) -> int:
    """Return the maximum lookups per tick and kind: half of the budget for the tick."""
    return max(2, int(settings.object_rpm * tick_seconds / 60 / 2))


async def look_up_events(client: RecallClient, events: Sequence[Event], limit: int, until: float) -> EventLookups:
    """Look up the objects that `events` name, at most `limit` per kind, until the loop's time is `until`.

    Events with a lookup that did not finish or can succeed later are not in `done`: they stay pending.
    """
    taken = list(_first(events, limit))
    keys = dict.fromkeys(key for event in taken for key in objects_in(event))
    answers = await _answers(client, keys, until)
    errors = [str(answer) for answer in answers.values() if isinstance(answer, RecallError)]
    return EventLookups(
        done=[
            (event, _records(answers, event))
            for event in taken
            if all(_is_final(answers, key) for key in objects_in(event))
        ],
        error=errors[0] if errors else None,
    )


def objects_in(event: Event) -> list[ObjectKey]:
    """Return the objects to look up for `event`: the artifact for the status, the recording for the day."""
    if event.type not in _RELEVANT_TYPES:
        return []
    ids: dict[Kind, str | None] = {"audio_mixed": event.audio_id, "recording": event.recording_id}
    if event.type.startswith("bot."):
        ids = {"bot": event.bot_id}
    return [(kind, object_id) for kind, object_id in ids.items() if object_id]


def _first(events: Sequence[Event], limit: int) -> Iterable[Event]:
    """Yield the first events that name at most `limit` different objects of each kind."""
    keys: set[ObjectKey] = set()
    for event in events:
        keys.update(objects_in(event))
        if max(Counter(kind for kind, _ in keys).values(), default=0) > limit:
            return
        yield event


async def _answers(client: RecallClient, keys: Iterable[ObjectKey], until: float) -> dict[ObjectKey, Any]:
    """Return the result of each lookup that finished in time: a record, None if it does not exist, or its error."""
    lookups: dict[Kind, Callable[[str], Awaitable[Any]]] = {
        "bot": client.bot,
        "recording": client.recording,
        "audio_mixed": client.audio_mixed_by_id,
    }
    answers: dict[ObjectKey, Any] = {}
    slots = asyncio.Semaphore(_CONCURRENT_LOOKUPS)

    async def look_up(key: ObjectKey) -> None:
        kind, object_id = key
        async with slots:
            try:
                answers[key] = await lookups[kind](object_id)
            except RecallError as error:
                answers[key] = error

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout_at(until):
            await asyncio.gather(*map(look_up, keys))
    return answers


def _records(answers: dict[ObjectKey, Any], event: Event) -> list[AnyListed]:
    """Return the records that the lookups of an event found."""
    found = (answers.get(key) for key in objects_in(event))
    return [answer for answer in found if answer and not isinstance(answer, RecallError)]


def _is_final(answers: dict[ObjectKey, Any], key: ObjectKey) -> bool:
    """Return whether another lookup would give the same result. The poll covers objects whose lookup is refused."""
    if key not in answers:
        return False
    answer = answers[key]
    return not isinstance(answer, RecallError) or isinstance(answer, RecallProtocolError | RecallRefused)
