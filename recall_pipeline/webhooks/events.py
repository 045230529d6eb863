"""The stored part of a webhook: ids, type and times, without metadata (docs/design/recall-api.md, section 8)."""

import json
import re
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from recall_pipeline.recall_api import Moment, Reference, Tolerant

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TYPE = re.compile(r"[A-Za-z0-9_.-]{1,128}")


class _Model(BaseModel):
    model_config = ConfigDict(defer_build=True)  # many processes import this module, few parse events


class _Change(_Model):
    updated_at: Tolerant[Moment] = None


class _EventData(_Model):
    data: Tolerant[_Change] = None
    recording: Tolerant[Reference] = None
    bot: Tolerant[Reference] = None
    audio_mixed: Tolerant[Reference] = None


class _Payload(_Model):
    event: str
    data: Tolerant[_EventData] = None


@dataclass(frozen=True, slots=True)
class Event:
    """One webhook event. `type` is an open set, such as `audio_mixed.done`. All timestamps are UTC."""

    event_id: str
    type: str
    received_at: datetime
    changed_at: datetime | None = None
    recording_id: str | None = None
    bot_id: str | None = None
    audio_id: str | None = None

    @classmethod
    def from_webhook(cls, event_id: str, body: bytes, received_at: datetime) -> "Event | None":
        """Parse the body of a webhook; None if it is not an event, or if `event_id` is not a valid file name."""
        try:
            payload = _Payload.model_validate(json.loads(body))
        except (ValueError, RecursionError):  # not JSON, or not an event
            return None
        if not _PLAIN_NAME.fullmatch(event_id) or not _TYPE.fullmatch(payload.event):
            return None
        named = payload.data or _EventData()
        return cls(
            event_id,
            payload.event,
            received_at,
            changed_at=named.data.updated_at if named.data else None,
            recording_id=_id_of(named.recording),
            bot_id=_id_of(named.bot),
            audio_id=_id_of(named.audio_mixed),
        )

    @classmethod
    def from_json(cls, content: bytes) -> "Event | None":
        """Parse the output of `to_json`; None for anything else."""
        try:
            return _STORED.validate_json(content)
        except ValidationError:
            return None

    def to_json(self) -> bytes:
        """Return the event as JSON."""
        return _STORED.dump_json(self)


_STORED = TypeAdapter(Event)


def _id_of(reference: Reference | None) -> str | None:
    return reference.id if reference else None
