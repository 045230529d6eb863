"""Bot creation: `POST /api/v1/bot/` (docs/design/recall-api.md, section 3)."""

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
_ANSWER_LIFE = timedelta(hours=1)
_POOL_IS_EMPTY = {"code": "adhoc_bot_pool_depleted", "detail": "All ad-hoc bots are in use."}


@dataclass(frozen=True)
class _Answer:
    until: datetime
    outcome: SandboxBot | Refusal


class BotCreation:
    """Validates a request body, creates the bot, and repeats its answer for a repeated Idempotency-Key."""

    def __init__(self, world: World, behaviour: Behaviour, clock: Clock) -> None:
        self._world = world
        self._behaviour = behaviour
        self._clock = clock
        self._answers: dict[str, _Answer] = {}
        self._running_keys: set[str] = set()

    async def create(self, body: Any, idempotency_key: str | None) -> SandboxBot:
        """Create a bot; raises Refusal: 400 for an invalid `body`, 409 while the key is in use, 507 for a full pool."""
        valid = _validated(body)
        if idempotency_key is None:
            return await self._make(valid)
        answer = self._answers.get(idempotency_key)
        if answer is None or answer.until < self._clock():
            answer = await self._answer_once(valid, idempotency_key)
        if isinstance(answer.outcome, Refusal):
            raise answer.outcome
        return answer.outcome

    async def _answer_once(self, body: Mapping[str, Any], key: str) -> _Answer:
        if key in self._running_keys:
            raise Refusal(409, {"code": "conflict", "detail": "A request with this key is running."})
        self._running_keys.add(key)
        outcome: SandboxBot | Refusal
        try:
            outcome = await self._make(body)
        except Refusal as refused:
            outcome = refused
        finally:
            self._running_keys.remove(key)
        self._answers[key] = _Answer(self._clock() + _ANSWER_LIFE, outcome)
        return self._answers[key]

    async def _make(self, body: Mapping[str, Any]) -> SandboxBot:
        await asyncio.sleep(self._behaviour.create_seconds)
        join_at: datetime | None = body["join_at"]
        if join_at is None or join_at < self._clock() + ADHOC_NOTICE:
            self._take_from_pool()
        bot = SandboxBot(
            id=str(uuid.uuid4()),
            name=body["bot_name"],
            platform=platform_of(body["meeting_url"]),
            meeting_url=read_meeting_url(body["meeting_url"]),
            requested_url=body["meeting_url"],
            join_at=join_at,
            status_changes=(SandboxStatusChange("ready", self._clock()),),
            metadata=body["metadata"],
            recording_config=body["recording_config"],
        )
        self._world.add(bot)
        return bot

    def _take_from_pool(self) -> None:
        if self._behaviour.adhoc_bots is None:
            return
        if self._behaviour.adhoc_bots <= 0:
            raise Refusal(507, _POOL_IS_EMPTY, {"Retry-After": "30"})
        self._behaviour.adhoc_bots -= 1


def _validated(body: Any) -> dict[str, Any]:
    """The body with defaults and parsed times; unknown keys are ignored, nested ones too."""
    if not isinstance(body, dict):
        raise Refusal(400, {"code": "parse_error", "detail": "Expected a JSON object."})
    errors: dict[str, list[str]] = {}
    valid = {
        "meeting_url": body.get("meeting_url"),
        "bot_name": body.get("bot_name", "Meeting Notetaker"),
        "metadata": body.get("metadata", {}),
        "recording_config": body.get("recording_config", {"video_mixed_mp4": {}}),
        "join_at": None,
    }
    if not valid["meeting_url"]:
        errors["meeting_url"] = ["This field is required."]
    elif platform_of(valid["meeting_url"]) is None:
        errors["meeting_url"] = ["This meeting URL is not supported."]
    if not isinstance(valid["bot_name"], str) or len(valid["bot_name"]) > 100:
        errors["bot_name"] = ["Ensure this field has no more than 100 characters."]
    if not _is_metadata(valid["metadata"]):
        errors["metadata"] = ["Expected strings of no more than 500 characters."]
    if not isinstance(valid["recording_config"], dict | None):
        errors["recording_config"] = ["Expected an object."]
    try:
        valid["join_at"] = _parsed_time(body.get("join_at"))
    except (TypeError, ValueError):
        errors["join_at"] = ["Datetime has wrong format. Use ISO 8601."]
    if errors:
        raise Refusal(400, errors)
    return valid


def _is_metadata(metadata: Any) -> bool:
    return isinstance(metadata, dict) and all(
        isinstance(value, str) and len(value) <= 500 for value in metadata.values()
    )


def _parsed_time(text: str | None) -> datetime | None:
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=at.tzinfo or UTC)
