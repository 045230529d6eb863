"""Making a bot: `POST /api/v1/bot/` (docs/design/recall-api.md, section 3)."""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from recall_sandbox.behaviour import Behaviour
from recall_sandbox.clock import Clock
from recall_sandbox.meeting_url import platform_of, read_meeting_url
from recall_sandbox.records import SandboxBot, SandboxStatusChange
from recall_sandbox.refusal import Refusal
from recall_sandbox.world import World

ADHOC_NOTICE = timedelta(minutes=10)
_KEPT_ANSWERS = timedelta(hours=1)
_POOL_IS_EMPTY = {"code": "adhoc_bot_pool_depleted", "detail": "All ad-hoc bots are in use."}


@dataclass(frozen=True)
class _Answer:
    until: datetime
    outcome: SandboxBot | Refusal


class BotCreation:
    """Checks what is asked, makes the bot, and repeats its answer to a repeated Idempotency-Key."""

    def __init__(self, world: World, behaviour: Behaviour, clock: Clock) -> None:
        self._world = world
        self._behaviour = behaviour
        self._clock = clock
        self._answers: dict[str, _Answer] = {}
        self._in_hand: set[str] = set()

    async def create(self, asked: Any, idempotency_key: str | None) -> SandboxBot:
        """Make a bot; raises the Refusal that belongs to a fault in `asked`, 409 or 507."""
        checked = _validated(asked)
        if idempotency_key is None:
            return await self._make(checked)
        kept = self._answers.get(idempotency_key)
        if kept is None or kept.until < self._clock():
            kept = await self._answer_once(checked, idempotency_key)
        if isinstance(kept.outcome, Refusal):
            raise kept.outcome
        return kept.outcome

    async def _answer_once(self, asked: Mapping[str, Any], key: str) -> _Answer:
        if key in self._in_hand:
            raise Refusal(409, {"code": "conflict", "detail": "A request with this key is running."})
        self._in_hand.add(key)
        outcome: SandboxBot | Refusal
        try:
            outcome = await self._make(asked)
        except Refusal as refused:
            outcome = refused
        finally:
            self._in_hand.remove(key)
        self._answers[key] = _Answer(self._clock() + _KEPT_ANSWERS, outcome)
        return self._answers[key]

    async def _make(self, asked: Mapping[str, Any]) -> SandboxBot:
        await asyncio.sleep(self._behaviour.create_seconds)
        join_at: datetime | None = asked["join_at"]
        if join_at is None or join_at < self._clock() + ADHOC_NOTICE:
            self._take_from_pool()
        bot = SandboxBot(
            id=str(uuid.uuid4()),
            name=asked["bot_name"],
            platform=platform_of(asked["meeting_url"]),
            meeting_url=read_meeting_url(asked["meeting_url"]),
            requested_url=asked["meeting_url"],
            join_at=join_at,
            status_changes=(SandboxStatusChange("ready", self._clock()),),
            metadata=asked["metadata"],
            recording_config=asked["recording_config"],
        )
        self._world.add(bot)
        return bot

    def _take_from_pool(self) -> None:
        if self._behaviour.adhoc_bots is None:
            return
        if self._behaviour.adhoc_bots <= 0:
            raise Refusal(507, _POOL_IS_EMPTY, {"Retry-After": "30"})
        self._behaviour.adhoc_bots -= 1


def _validated(asked: Any) -> dict[str, Any]:
    """What was asked, with defaults and parsed times; unknown keys, nested ones too, pass in silence."""
    if not isinstance(asked, dict):
        raise Refusal(400, {"code": "parse_error", "detail": "Expected a JSON object."})
    faults: dict[str, list[str]] = {}
    checked = {
        "meeting_url": asked.get("meeting_url"),
        "bot_name": asked.get("bot_name", "Meeting Notetaker"),
        "metadata": asked.get("metadata", {}),
        "recording_config": asked.get("recording_config", {"video_mixed_mp4": {}}),
        "join_at": None,
    }
    if not checked["meeting_url"]:
        faults["meeting_url"] = ["This field is required."]
    elif platform_of(checked["meeting_url"]) is None:
        faults["meeting_url"] = ["This meeting URL is not supported."]
    if not isinstance(checked["bot_name"], str) or len(checked["bot_name"]) > 100:
        faults["bot_name"] = ["Ensure this field has no more than 100 characters."]
    if not _is_metadata(checked["metadata"]):
        faults["metadata"] = ["Expected strings of no more than 500 characters."]
    if not isinstance(checked["recording_config"], dict | None):
        faults["recording_config"] = ["Expected an object."]
    try:
        checked["join_at"] = _join_moment(asked.get("join_at"))
    except (TypeError, ValueError):
        faults["join_at"] = ["Datetime has wrong format. Use ISO 8601."]
    if faults:
        raise Refusal(400, faults)
    return checked


def _is_metadata(metadata: Any) -> bool:
    return isinstance(metadata, dict) and all(
        isinstance(value, str) and len(value) <= 500 for value in metadata.values()
    )


def _join_moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=at.tzinfo or UTC)
