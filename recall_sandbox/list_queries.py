"""The filters of the list endpoints (docs/design/recall-api.md, sections 4 to 6)."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time
from typing import Any, TypeVar
from uuid import UUID

from starlette.datastructures import QueryParams

from recall_sandbox.behaviour import Behaviour
from recall_sandbox.pagination import Ordered, ordered, sort_key
from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording
from recall_sandbox.refusal import invalid
from recall_sandbox.world import World

Row = TypeVar("Row", SandboxBot, SandboxRecording, Artifact)
_RECORDING_STATUSES = ("processing", "paused", "done", "failed")
_AUDIO_STATUSES = ("processing", "done", "failed")
_CACHED_LISTS = 64


class ListQueries:
    """Filtered and ordered lists, cached until the world or the behaviour changes."""

    def __init__(self, world: World, behaviour: Behaviour) -> None:
        self._world = world
        self._behaviour = behaviour
        self._cache: OrderedDict[tuple[Any, ...], Ordered[Any]] = OrderedDict()

    def bots(self, query: QueryParams) -> Ordered[SandboxBot]:
        """Bots; a `join_at` filter omits those without a `join_at`."""
        return self._ordered("bots", query, self._bots, lambda bot: bot.join_at)

    def recordings(self, query: QueryParams) -> Ordered[SandboxRecording]:
        """Recordings that are `listed`."""
        return self._ordered("recordings", query, self._recordings, lambda row: row.created_at)

    def artifacts(self, query: QueryParams) -> Ordered[Artifact]:
        """Mixed-audio artifacts that are `listed`, of every format."""
        return self._ordered("artifacts", query, self._artifacts, lambda row: row.created_at)

    def _ordered(
        self,
        name: str,
        query: QueryParams,
        select: Callable[[QueryParams], list[Row]],
        moment: Callable[[Row], datetime | None],
    ) -> Ordered[Row]:
        key = self._key(name, query)
        if key not in self._cache:
            order = self._behaviour.order
            with self._world.lock:
                rows = [] if self._world.listings_are_empty else select(query)
            self._cache[key] = ordered(rows, lambda row: sort_key(order, moment(row), row.id))
        self._cache.move_to_end(key)
        while len(self._cache) > _CACHED_LISTS:
            self._cache.popitem(last=False)
        return self._cache[key]

    def _key(self, name: str, query: QueryParams) -> tuple[Any, ...]:
        filters = sorted(pair for pair in query.multi_items() if pair[0] not in ("page", "cursor"))
        behaviour = self._behaviour
        return (
            name,
            tuple(filters),
            self._world.revision,
            behaviour.order,
            behaviour.join_at_granularity,
            behaviour.created_at_closed,
            behaviour.deleted_answers_404,
        )

    def _bots(self, query: QueryParams) -> list[SandboxBot]:
        after, before = self._join_at_bounds(query)
        platforms, statuses = query.getlist("platform"), query.getlist("status")
        requested_url = query.get("meeting_url")
        return [
            bot
            for bot in self._world.bots.window(after, before, "left")
            if (not platforms or bot.platform in platforms)
            and (not statuses or bot.status in statuses)
            and requested_url in (None, bot.requested_url)
            and _has_metadata(bot, query)
        ]

    def _join_at_bounds(self, query: QueryParams) -> tuple[datetime | None, datetime | None]:
        compares = self._behaviour.join_at_granularity
        if compares == "ignored":
            return None, None
        names = ("join_at_after", "join_at_before")
        for name in names:
            if compares == "date_only" and "T" in query.get(name, ""):
                raise invalid(name, "Enter a valid date.")
        after, before = (_bound(query, name, by_date=compares != "datetime") for name in names)
        return after, before

    def _recordings(self, query: QueryParams) -> list[SandboxRecording]:
        statuses = _choices(query, "status_code", _RECORDING_STATUSES)
        bot_id = _uuid(query, "bot_id")
        return [
            row
            for row in self._created_within(self._world.recordings, query)
            if row.listed
            and not (self._behaviour.deleted_answers_404 and row.status == "deleted")
            and bot_id in (None, row.bot_id)
            and (not statuses or row.status in statuses)
            and _has_metadata(row, query)
        ]

    def _artifacts(self, query: QueryParams) -> list[Artifact]:
        statuses = _choices(query, "status_code", _AUDIO_STATUSES)
        recording_id = _uuid(query, "recording_id")
        return [
            row
            for row in self._created_within(self._world.artifacts, query)
            if row.listed and recording_id in (None, row.recording_id) and (not statuses or row.status in statuses)
        ]

    def _created_within(self, index: Any, query: QueryParams) -> Sequence[Any]:
        after = _bound(query, "created_at_after")
        before = _bound(query, "created_at_before")
        closed = self._behaviour.created_at_closed
        if closed == "refused" and (after or before):
            raise invalid("created_at_after", "Enter a valid date.")
        rows: Sequence[Any] = (
            index.window(None, None, "") if closed == "ignored" else index.window(after, before, closed)
        )
        return rows


def _has_metadata(row: SandboxBot | SandboxRecording, query: QueryParams) -> bool:
    filters = ((name, value) for name, value in query.multi_items() if name.startswith("metadata__"))
    return all(row.metadata.get(name.removeprefix("metadata__")) == value for name, value in filters)


def _bound(query: QueryParams, name: str, *, by_date: bool = False) -> datetime | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise invalid(name, "Enter a valid date/time.") from None
    at = at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    return datetime.combine(at.date(), time(), UTC) if by_date else at


def _choices(query: QueryParams, name: str, choices: Sequence[str]) -> list[str]:
    chosen = query.getlist(name)
    for choice in chosen:
        if choice not in choices:
            raise invalid(name, f"Select a valid choice. {choice} is not one of the available choices.")
    return chosen


def _uuid(query: QueryParams, name: str) -> str | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        return str(UUID(text))
    except ValueError:
        raise invalid(name, "Enter a valid UUID.") from None
