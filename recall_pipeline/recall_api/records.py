"""What the API says, typed (docs/design/recall-api.md, sections 4-6).

Only an id that is a UUID, and a recording's `created_at`, are demanded. Whatever else is absent or of the wrong type
reads as None, unknown codes stay as they are, and unknown fields are carried in `other_fields`.

Records are dataclasses with slots: a day's listing holds tens of thousands, and as models they take four times as much.
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
from recall_pipeline.recall_api.meeting_urls import Meeting, read_meeting
from recall_pipeline.redaction import without_passwords, without_secrets

FINISHED = frozenset({"done", "fatal", "analysis_done", "analysis_failed", "media_expired"})
DELETED = "deleted"
"""The status code of what Recall has removed; this project also writes it for what answers 404."""
IN_PROGRESS = frozenset({"processing", "paused"})
"""Status codes of what is not finished."""
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
        raise ValueError("is no moment of this calendar") from None


def _uuid_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("is no UUID")  # noqa: TRY004 -- pydantic wants a ValueError
    return str(UUID(value))


@lru_cache(maxsize=1024)
def _the_same(text: str) -> str:
    """Return the equal text that came before, if there was one not long ago."""
    return text


def _mapping_or_empty(value: object) -> object:
    return value if isinstance(value, dict) else {}


def _metadata(value: object) -> object:
    return without_passwords(_mapping_or_empty(value))


def _valid_items(item: type[Any]) -> Callable[[object], tuple[Any, ...]]:
    def keep(value: object) -> tuple[Any, ...]:
        items = value if isinstance(value, list) else []
        return tuple(good for raw in items if (good := read_record(item, raw)) is not None)

    return keep


def _asks_for_mp3(config: object) -> object:
    """Whether a `recording_config` asks for a mixed-audio MP3; None when there is none to tell."""
    return config.get("audio_mixed_mp3") is not None if isinstance(config, dict) else None


Tolerant = Annotated[T | None, WrapValidator(_none_if_wrong)]
Moment = Annotated[datetime, AfterValidator(_in_utc)]
Identity = Annotated[str, BeforeValidator(_uuid_text)]
Metadata = Annotated[dict[str, Any], BeforeValidator(_metadata)]
MP3Requested = Annotated[bool | None, BeforeValidator(_asks_for_mp3)]
Shared = Annotated[str, AfterValidator(_the_same)]
"""A text that many records have in common: kept once."""

# Built when the first is read: Dagster loads this room whenever it loads the code location.
_TOLERANT = ConfigDict(hide_input_in_errors=True, coerce_numbers_to_str=True, defer_build=True)


@dataclass(frozen=True, slots=True, config=_TOLERANT)
class Identified:
    """A record with an id, which is demanded to be a UUID before it comes near a path."""

    id: Identity


@dataclass(frozen=True, slots=True, config=_TOLERANT)
class Status:
    """Where an object stands; `code` belongs to an open set."""

    code: Tolerant[Shared] = None
    sub_code: Tolerant[Shared] = None
    updated_at: Tolerant[Moment] = None


@dataclass(frozen=True, slots=True, config=_TOLERANT)
class StatusChange:
    """One step in a bot's life."""

    code: Shared
    created_at: Tolerant[Moment] = None


@dataclass(frozen=True, slots=True, config=_TOLERANT)
class Reference(Identified):
    """Another object, by id."""


@dataclass(frozen=True, slots=True, config=_TOLERANT)
class MediaData:
    """Where the bytes are for the moment; the URL is a secret with a short life."""

    download_url: Tolerant[SecretStr] = None


@dataclass(frozen=True, slots=True, config=_TOLERANT, kw_only=True)
class Listed(Identified):
    """An object that has an endpoint of its own; `other_fields` holds what this project does not know, as JSON."""

    other_fields: Shared | None = None


@dataclass(frozen=True, slots=True, config=_TOLERANT)
class AudioMixed(Listed):
    """A mixed-audio artifact (docs/design/recall-api.md, section 6)."""

    recording: Tolerant[Reference] = None
    created_at: Tolerant[Moment] = None
    status: Annotated[Status, BeforeValidator(_mapping_or_empty)] = Field(default_factory=Status)
    metadata: Metadata = Field(default_factory=dict)
    data: Tolerant[MediaData] = None
    format: Tolerant[Shared] = None

    @property
    def is_mp3(self) -> bool:
        """Whether this is the MP3; an unstated format is left to the proof of bytes."""
        return self.format is None or self.format == "mp3"

    @property
    def download_url(self) -> SecretStr | None:
        """The pre-signed URL minted by the read that brought this record."""
        url = self.data.download_url if self.data else None
        return url if url and url.get_secret_value() else None


@dataclass(frozen=True, slots=True, config=_TOLERANT)
class MediaShortcuts:
    """Artifacts that the API shows along with a recording; any may be missing."""

    audio_mixed: Annotated[AudioMixed | None, BeforeValidator(lambda value: read_record(AudioMixed, value))] = None


Shortcuts = Annotated[MediaShortcuts, BeforeValidator(_mapping_or_empty)]


@dataclass(frozen=True, slots=True, config=_TOLERANT, kw_only=True)
class Recording(Listed):
    """A recording (docs/design/recall-api.md, section 5); `created_at` is its start and never changes."""

    created_at: Moment
    started_at: Tolerant[Moment] = None
    completed_at: Tolerant[Moment] = None
    expires_at: Tolerant[Moment] = None
    status: Annotated[Status, BeforeValidator(_mapping_or_empty)] = Field(default_factory=Status)
    media_shortcuts: Shortcuts = Field(default_factory=MediaShortcuts)
    bot: Tolerant[Reference] = None
    metadata: Metadata = Field(default_factory=dict)

    @property
    def day(self) -> date:
        """The UTC day to which the recording and all that comes of it belong."""
        return day_of(self.created_at)


@dataclass(frozen=True, slots=True, config=_TOLERANT)
class Bot(Listed):
    """A bot (docs/design/recall-api.md, section 4); its meeting is kept without the password.

    `mp3_requested`: whether it was told to make a mixed-audio MP3; None when its configuration is not known.
    """

    meeting: Annotated[Meeting, BeforeValidator(read_meeting)] = Field(default=Meeting(), alias="meeting_url")
    bot_name: Annotated[Tolerant[str], AfterValidator(without_passwords)] = None
    metadata: Metadata = Field(default_factory=dict)
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
        """Whether the bot came to an end, whatever has been appended since."""
        return any(change.code in FINISHED for change in self.status_changes)

    @property
    def media_expired(self) -> bool:
        """Whether Recall has removed the bot's media."""
        return any(change.code == "media_expired" for change in self.status_changes)

    @property
    def day(self) -> date | None:
        """The UTC day of `join_at`, else of the first joining_call, first status change or first recording."""
        joining = (change.created_at for change in self.status_changes if change.code == "joining_call")
        moments: Iterable[Iterable[datetime | None]] = (
            [self.join_at],
            joining,
            (change.created_at for change in self.status_changes),
            (recording.created_at for recording in self.recordings),
        )
        for known in moments:
            if first := min((moment for moment in known if moment), default=None):
                return day_of(first)
        return None


R = TypeVar("R")


def read_record(kind: type[R], value: object) -> R | None:
    """Read one JSON value; None when it has no usable id (or, for a recording, no `created_at`)."""
    reader: TypeAdapter[R] = _READERS[kind]
    try:
        return reader.validate_python(_with_other_fields(kind, value) if issubclass(kind, Listed) else value)
    except (ValidationError, RecursionError):  # the second of a field that is nested without end
        return None


def _with_other_fields(kind: type[Listed], row: object) -> object:
    if not isinstance(row, dict):
        return row
    known = _NAMES[kind]
    unknown = without_secrets({name: value for name, value in row.items() if name not in known})
    other_fields = json.dumps(unknown, sort_keys=True, ensure_ascii=False) if unknown else None
    return {**row, "other_fields": other_fields}


def _field_names(kind: type[Any]) -> frozenset[str]:
    """Return the API's names of the fields that a record reads."""
    return frozenset(field.alias or name for name, field in kind.__pydantic_fields__.items()) - {"other_fields"}


_READERS: dict[type[Any], TypeAdapter[Any]] = {
    kind: TypeAdapter(kind) for kind in (Bot, Recording, AudioMixed, StatusChange)
}
_NAMES: dict[type[Listed], frozenset[str]] = {kind: _field_names(kind) for kind in (Bot, Recording, AudioMixed)}
