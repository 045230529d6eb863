"""The stored part of a webhook: ids, type and times, without metadata (docs/design/recall-api.md, section 8)."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from recall_pipeline.recall_api import Identity, Moment, Reference, Tolerant

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TYPE = re.compile(r"[A-Za-z0-9_.-]{1,128}")


class _Model(BaseModel):
    model_config = ConfigDict(defer_build=True)  # many processes import this module, few parse events


class _Change(_Model):
    updated_at: Tolerant[Moment] = None


class _OldStatus(_Model):
    code: Tolerant[str] = None
    created_at: Tolerant[Moment] = None


class _EventData(_Model):
    """The data of an event; `bot_id` and `status` are those of `bot.status_change`, which old endpoints receive."""

    data: Tolerant[_Change] = None
    bot_id: Tolerant[Identity] = None
    status: Tolerant[_OldStatus] = None
    recording: Tolerant[Reference] = None
    bot: Tolerant[Reference] = None
    audio_mixed: Tolerant[Reference] = None


class _Payload(_Model):
    event: str
    data: Tolerant[_EventData] = None


@dataclass(frozen=True, slots=True)
class AwaitedChange:
    """A change that the lookup of an event's object showed, until the archive's tables show it too.

    `kind` is `bot`, `recording` or `mp3`; `day` is the day whose tables will show it. `look_up`: the recording that a
    run of `day` must look up to see the change, because the lists of the day do not show it.
    """

    day: date
    kind: str
    object_id: str
    code: str | None
    changed_at: datetime | None
    look_up: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One webhook event. `type` is an open set, such as `audio_mixed.done`. All timestamps are UTC.

    `awaited`: what its lookup showed; empty before the lookup.
    """

    event_id: str
    type: str
    received_at: datetime
    changed_at: datetime | None = None
    recording_id: str | None = None
    bot_id: str | None = None
    audio_id: str | None = None
    awaited: tuple[AwaitedChange, ...] = ()

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
            _type_of(payload.event, named.status),
            received_at,
            changed_at=_moment_of(named),
            recording_id=_id_of(named.recording),
            bot_id=_id_of(named.bot) or named.bot_id,
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
        """Return the event as JSON, as it arrived."""
        return _STORED.dump_json(self, exclude={"awaited"})

    @classmethod
    def many_from_json(cls, content: bytes) -> "list[Event]":
        """Parse the output of `many_to_json`; an empty list for anything else."""
        try:
            return _STORED_LIST.validate_json(content)
        except ValidationError:
            return []

    @staticmethod
    def many_to_json(events: "Sequence[Event]") -> bytes:
        """Return events as one JSON array."""
        return _STORED_LIST.dump_json(list(events))


_STORED = TypeAdapter(Event)
_STORED_LIST = TypeAdapter(list[Event])


def _type_of(event: str, status: _OldStatus | None) -> str:
    """Return the type; that of `bot.status_change` as the newer events call it, such as `bot.done`."""
    if event != "bot.status_change" or status is None or not _TYPE.fullmatch(f"bot.{status.code}"):
        return event
    return f"bot.{status.code}"


def _moment_of(named: _EventData) -> datetime | None:
    if named.data:
        return named.data.updated_at
    return named.status.created_at if named.status else None


def _id_of(reference: Reference | None) -> str | None:
    return reference.id if reference else None
