"""Typed records of API objects (docs/design/recall-api.md, sections 4-6).

Required are only a UUID as the id, and `created_at` of a recording. Other fields that are absent or of the wrong type
become None, unknown codes are kept, and unknown fields are stored in `other_fields`, without secrets and free text.

Records are dataclasses with slots, because a day's listing has tens of thousands and models take four times the memory.
"""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    WrapValidator,
)
from pydantic.dataclasses import dataclass

from recall_pipeline.days import day_of
from recall_pipeline.recall_api.meeting_urls import Meeting, parse_meeting
from recall_pipeline.recall_api.page_contract import fields_and_types
from recall_pipeline.redaction import keep_machine_values, redact_passwords, remove_secrets

FINISHED = frozenset({"done", "fatal", "analysis_done", "analysis_failed", "media_expired"})
_RECORDED = frozenset({"in_call_recording", "recording_done"})
DELETED = "deleted"
"""Status code of an object that Recall has removed; also written for an object that answers 404."""
IN_PROGRESS = frozenset({"processing", "paused"})
"""Status codes of an object that is not finished."""
_EARLIEST_START = datetime(2000, 1, 1, tzinfo=UTC)
T = TypeVar("T")


def _none_if_wrong(value: Any, validate: Callable[[Any], Any]) -> Any:
    try:
        return validate(value)
    except ValidationError:
        return None


def _in_utc(moment: datetime) -> datetime:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        return aware.astimezone(UTC)
    except OverflowError:
        raise ValueError("is out of the calendar's range") from None


def _of_this_century(moment: datetime) -> datetime:
    """Return a start; a number that is not in seconds, and a zero in place of null, give one long ago."""
    if moment < _EARLIEST_START:
        raise ValueError("is not the start of a recording")
    return moment


def _uuid_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("is not a UUID")  # noqa: TRY004 -- pydantic wants a ValueError
    return str(UUID(value))


@lru_cache(maxsize=1024)
def _interned(text: str) -> str:
    """Return one shared object for equal strings."""
    return text


def _mapping_or_empty(value: object) -> object:
    return value if isinstance(value, dict) else {}


def _status_object(value: object) -> object:
    """Return the fields of a status; a text is its code."""
    return {"code": value} if isinstance(value, str) else _mapping_or_empty(value)


def _reference_object(value: object) -> object:
    """Return the fields of a reference; a text is its id."""
    return {"id": value} if isinstance(value, str) else value


def _metadata(value: object) -> object:
    """Return a JSON object without passwords; None for anything else: the response does not contain metadata."""
    return redact_passwords(value) if isinstance(value, dict) else None


def _valid_items(item: type[Any]) -> Callable[[object], tuple[Any, ...]]:
    def keep(value: object) -> tuple[Any, ...]:
        items = value if isinstance(value, list) else []
        return tuple(record for raw in items if (record := read_record(item, raw)) is not None)

    return keep


def _requests_mp3(config: object) -> object:
    """Return whether a `recording_config` requests a mixed-audio MP3; None if there is no configuration."""
    return config.get("audio_mixed_mp3") is not None if isinstance(config, dict) else None


Tolerant = Annotated[T | None, WrapValidator(_none_if_wrong)]
Moment = Annotated[datetime, AfterValidator(_in_utc)]
Start = Annotated[Moment, AfterValidator(_of_this_century)]
Identity = Annotated[str, BeforeValidator(_uuid_text)]
Metadata = Annotated[dict[str, Any] | None, BeforeValidator(_metadata)]
MP3Requested = Annotated[bool | None, BeforeValidator(_requests_mp3)]
InternedText = Annotated[str, AfterValidator(_interned)]
"""A string that many records share: stored once."""

# Validators are built on first use, because Dagster imports this module whenever it loads the code location.
_TOLERANT = ConfigDict(hide_input_in_errors=True, coerce_numbers_to_str=True, defer_build=True)


@dataclass(frozen=True, slots=True, config=_TOLERANT)
class Identified:
    """A record with an id, which must be a UUID because paths are built from it."""

    id: Identity

    @property
    def day(self) -> date | None:
        """The UTC day that the object belongs to; None if that is not known."""
        return None


@dataclass(frozen=True, slots=True, config=_TOLERANT)
class Status:
    """The status of an object; `code` is an open set, and None if the response has none."""

    code: Tolerant[InternedText] = None
    sub_code: Tolerant[InternedText] = None
    updated_at: Tolerant[Moment] = None

    def is_newer_than(self, other: "Status") -> bool:
        """Whether this status is known to be newer than `other`; False if one of them has no time."""
        return bool(self.updated_at and other.updated_at and self.updated_at > other.updated_at)


@dataclass(frozen=True, slots=True, config=_TOLERANT)
class StatusChange:
    """One status change of a bot."""

    code: InternedText
    created_at: Tolerant[Moment] = None


@dataclass(frozen=True, slots=True, config=_TOLERANT)
class Reference(Identified):
    """A reference to another object, by id."""


StatusField = Annotated[Status, BeforeValidator(_status_object)]
ReferenceField = Annotated[Tolerant[Reference], BeforeValidator(_reference_object)]


@dataclass(frozen=True, slots=True, config=_TOLERANT)
class MediaData:
    """The download URL of an artifact: a pre-signed secret that expires."""

    download_url: Tolerant[SecretStr] = None


@dataclass(frozen=True, slots=True, config=_TOLERANT, kw_only=True)
class Listed(Identified):
    """An object with its own endpoint; `other_fields` has the unknown fields as JSON, without secrets and free text."""

    other_fields: InternedText | None = None


@dataclass(frozen=True, slots=True, config=_TOLERANT)
class AudioMixed(Listed):
    """A mixed-audio artifact (docs/design/recall-api.md, section 6).

    `row_shape`: names and types of the fields of its row, for an error about a download URL that is not there.
    """

    recording: ReferenceField = None
    created_at: Tolerant[Moment] = None
    status: StatusField = Field(default_factory=Status)
    metadata: Metadata = None
    data: Tolerant[MediaData] = None
    flat_url: Tolerant[SecretStr] = Field(default=None, alias="download_url")
    format: Tolerant[InternedText] = None
    row_shape: InternedText | None = None

    @property
    def day(self) -> date | None:
        """The UTC day on which it was created."""
        return day_of(self.created_at) if self.created_at else None

    @property
    def is_mp3(self) -> bool:
        """Whether this is an MP3, in whatever case. A missing format counts, because the decode check follows."""
        return (self.format or "mp3").strip().lower() == "mp3"

    @property
    def download_url(self) -> SecretStr | None:
        """The pre-signed URL that was created for this response, in `data` or beside it."""
        urls = (self.data.download_url if self.data else None, self.flat_url)
        return next((url for url in urls if url and url.get_secret_value()), None)


@dataclass(frozen=True, slots=True, config=_TOLERANT)
class MediaShortcuts:
    """Artifacts that the API embeds in a recording; any may be missing."""

    audio_mixed: Annotated[AudioMixed | None, BeforeValidator(lambda value: read_record(AudioMixed, value))] = None


Shortcuts = Annotated[MediaShortcuts, BeforeValidator(_mapping_or_empty)]


@dataclass(frozen=True, slots=True, config=_TOLERANT, kw_only=True)
class Recording(Listed):
    """A recording (docs/design/recall-api.md, section 5); `created_at` is its start and never changes."""

    created_at: Start
    started_at: Tolerant[Moment] = None
    completed_at: Tolerant[Moment] = None
    expires_at: Tolerant[Moment] = None
    status: StatusField = Field(default_factory=Status)
    media_shortcuts: Shortcuts = Field(default_factory=MediaShortcuts)
    bot: ReferenceField = None
    metadata: Metadata = None

    @property
    def day(self) -> date:
        """The UTC day of the recording and of its files."""
        return day_of(self.created_at)


@dataclass(frozen=True, slots=True, config=_TOLERANT)
class Bot(Listed):
    """A bot (docs/design/recall-api.md, section 4); its meeting is stored without the password.

    `mp3_requested`: whether its configuration requests a mixed-audio MP3; None if the configuration is not known.
    """

    meeting: Annotated[Meeting, BeforeValidator(parse_meeting)] = Field(default=Meeting(), alias="meeting_url")
    bot_name: Annotated[Tolerant[str], AfterValidator(redact_passwords)] = None
    metadata: Metadata = None
    mp3_requested: MP3Requested = Field(default=None, alias="recording_config")
    join_at: Tolerant[Moment] = None
    status_changes: Annotated[tuple[StatusChange, ...], BeforeValidator(_valid_items(StatusChange))] = ()
    recordings: Annotated[tuple[Recording, ...], BeforeValidator(_valid_items(Recording))] = ()

    @property
    def status(self) -> str | None:
        """The latest status code."""
        return self.status_changes[-1].code if self.status_changes else None

    @property
    def is_finished(self) -> bool:
        """Whether the bot has ever reached a final status, even if others follow."""
        return any(change.code in FINISHED for change in self.status_changes)

    @property
    def media_expired(self) -> bool:
        """Whether Recall has removed the bot's media."""
        return any(change.code == "media_expired" for change in self.status_changes)

    @property
    def has_recorded(self) -> bool:
        """Whether the bot recorded, whatever became of its recordings."""
        return bool(self.recordings) or any(change.code in _RECORDED for change in self.status_changes)

    @property
    def day(self) -> date | None:
        """The UTC day of `join_at`, else of the first `joining_call`, status change or recording; None without any."""
        joining = (change.created_at for change in self.status_changes if change.code == "joining_call")
        moments: Iterable[Iterable[datetime | None]] = (
            [self.join_at],
            joining,
            (change.created_at for change in self.status_changes),
            (recording.created_at for recording in self.recordings),
        )
        for candidates in moments:
            if first := min((moment for moment in candidates if moment), default=None):
                return day_of(first)
        return None


R = TypeVar("R")


def read_record(kind: type[R], value: object, row_shape: str | None = None) -> R | None:
    """Parse one JSON value; None if it has no valid id (or, for a recording, no `created_at`).

    `row_shape` is that of the row as the API sent it, if `value` was made from a record.
    """
    reader: TypeAdapter[R] = _READERS[kind]
    try:
        return reader.validate_python(_with_other_fields(kind, value, row_shape) if issubclass(kind, Listed) else value)
    except (ValidationError, RecursionError):  # RecursionError: a field that is nested too deeply
        return None


def _with_other_fields(kind: type[Listed], row: object, row_shape: str | None) -> object:
    if not isinstance(row, dict):
        return row
    known_names = _NAMES[kind]
    unknown = {name: value for name, value in row.items() if name not in known_names}
    unknown = keep_machine_values(remove_secrets(unknown))
    other_fields = json.dumps(unknown, sort_keys=True, ensure_ascii=False) if unknown else None
    shape = {"row_shape": row_shape or fields_and_types(row)} if kind is AudioMixed else {}
    return {**row, "other_fields": other_fields, **shape}


def _field_names(kind: type[Any]) -> frozenset[str]:
    """Return the API's names of the fields of a record."""
    return frozenset(field.alias or name for name, field in kind.__pydantic_fields__.items()) - {
        "other_fields",
        "row_shape",
    }


_READERS: dict[type[Any], TypeAdapter[Any]] = {
    kind: TypeAdapter(kind) for kind in (Bot, Recording, AudioMixed, StatusChange)
}
_NAMES: dict[type[Listed], frozenset[str]] = {kind: _field_names(kind) for kind in (Bot, Recording, AudioMixed)}
