"""What is kept of a webhook: ids, type and times, and not its metadata (docs/design/recall-api.md, section 8)."""

import json
import re
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from recall_pipeline.recall_api import Moment, Reference, Tolerant

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TYPE = re.compile(r"[A-Za-z0-9_.-]{1,128}")


class _Read(BaseModel):
    model_config = ConfigDict(defer_build=True)  # few processes read events, many load this room


class _Change(_Read):
    updated_at: Tolerant[Moment] = None


class _Told(_Read):
    data: Tolerant[_Change] = None
    recording: Tolerant[Reference] = None
    bot: Tolerant[Reference] = None
    audio_mixed: Tolerant[Reference] = None


class _Payload(_Read):
    event: str
    data: Tolerant[_Told] = None


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `type` is of an open set, such as `audio_mixed.done`. All moments are UTC."""

    event_id: str
    type: str
    received_at: datetime
    changed_at: datetime | None = None
    recording_id: str | None = None
    bot_id: str | None = None
    audio_id: str | None = None

    @classmethod
    def told(cls, event_id: str, body: bytes, received_at: datetime) -> "Event | None":
        """Read a webhook's body; None when it is none, or when its id cannot be a file's name."""
        try:
            payload = _Payload.model_validate(json.loads(body))
        except (ValueError, RecursionError):  # no JSON, or no event
            return None
        if not _PLAIN_NAME.fullmatch(event_id) or not _TYPE.fullmatch(payload.event):
            return None
        told = payload.data or _Told()
        return cls(
            event_id,
            payload.event,
            received_at,
            changed_at=told.data.updated_at if told.data else None,
            recording_id=_id_of(told.recording),
            bot_id=_id_of(told.bot),
            audio_id=_id_of(told.audio_mixed),
        )

    @classmethod
    def read(cls, content: bytes) -> "Event | None":
        """Read what `written` gave; None for anything else."""
        try:
            return _STORED.validate_json(content)
        except ValidationError:
            return None

    def written(self) -> bytes:
        """Return the event as JSON."""
        return _STORED.dump_json(self)


_STORED = TypeAdapter(Event)


def _id_of(reference: Reference | None) -> str | None:
    return reference.id if reference else None
