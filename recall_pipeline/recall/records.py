"""What the API says, typed (recall_api.md sections 4-6).

Only an id that is a UUID, and a recording's `created_at`, are demanded. Whatever else is absent or of the wrong type
reads as None, unknown codes stay as they are, and unknown fields are carried in `other_fields`.
"""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    WrapValidator,
)

from recall_pipeline.days import day_of
from recall_pipeline.recall.meetings import Meeting, read_meeting
from recall_pipeline.redaction import without_passwords, without_secrets

FINISHED = frozenset({"done", "fatal", "analysis_done", "analysis_failed", "media_expired"})
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


def _mapping_or_empty(value: object) -> object:
    return value if isinstance(value, dict) else {}


def _metadata(value: object) -> object:
    return without_passwords(_mapping_or_empty(value))


def _valid_items(item: type["Record"]) -> Callable[[object], list[Any]]:
    def keep(value: object) -> list[Any]:
        items = value if isinstance(value, list) else []
        return [good for raw in items if (good := read_record(item, raw)) is not None]

    return keep


Tolerant = Annotated[T | None, WrapValidator(_none_if_wrong)]
Moment = Annotated[datetime, AfterValidator(_in_utc)]
Identity = Annotated[str, BeforeValidator(_uuid_text)]
Metadata = Annotated[dict[str, Any], BeforeValidator(_metadata)]


class Record(BaseModel):
    """Frozen, and tolerant of fields that this project does not know."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True, coerce_numbers_to_str=True)

    @property
    def other_fields(self) -> str | None:
        """Unknown top-level fields as JSON, without secrets; None when there are none."""
        extra = without_secrets(self.model_extra or {})
        return json.dumps(extra, sort_keys=True, ensure_ascii=False) if extra else None


class Identified(Record):
    """A record with an id, which is demanded to be a UUID before it comes near a path."""

    id: Identity


class Status(Record):
    """Where an object stands; `code` belongs to an open set."""

    code: Tolerant[str] = None
    sub_code: Tolerant[str] = None
    updated_at: Tolerant[Moment] = None


class StatusChange(Record):
    """One step in a bot's life."""

    code: str
    sub_code: Tolerant[str] = None
    created_at: Tolerant[Moment] = None


class Reference(Identified):
    """Another object, by id."""


class MediaData(Record):
    """Where the bytes are for the moment; the URL is a secret with a short life."""

    download_url: Tolerant[SecretStr] = None


class AudioMixed(Identified):
    """A mixed-audio artifact (recall_api.md section 6)."""

    recording: Tolerant[Reference] = None
    created_at: Tolerant[Moment] = None
    status: Annotated[Status, BeforeValidator(_mapping_or_empty)] = Status()
    metadata: Metadata = Field(default_factory=dict)
    data: Tolerant[MediaData] = None
    format: Tolerant[str] = None

    @property
    def is_mp3(self) -> bool:
        """Whether this is the MP3; an unstated format is left to the proof of bytes."""
        return self.format is None or self.format == "mp3"

    @property
    def download_url(self) -> SecretStr | None:
        """The pre-signed URL minted by the read that brought this record."""
        url = self.data.download_url if self.data else None
        return url if url and url.get_secret_value() else None


class MediaShortcuts(Record):
    """Artifacts that the API shows along with a recording; any may be missing."""

    audio_mixed: Tolerant[AudioMixed] = None


class Recording(Identified):
    """A recording (recall_api.md section 5); `created_at` is its start and never changes."""

    created_at: Moment
    started_at: Tolerant[Moment] = None
    completed_at: Tolerant[Moment] = None
    expires_at: Tolerant[Moment] = None
    status: Annotated[Status, BeforeValidator(_mapping_or_empty)] = Status()
    media_shortcuts: Annotated[MediaShortcuts, BeforeValidator(_mapping_or_empty)] = MediaShortcuts()
    bot: Tolerant[Reference] = None
    metadata: Metadata = Field(default_factory=dict)

    @property
    def day(self) -> date:
        """The UTC day to which the recording and all that comes of it belong."""
        return day_of(self.created_at)


class Bot(Identified):
    """A bot (recall_api.md section 4); its meeting is kept without the password."""

    meeting: Annotated[Meeting, BeforeValidator(read_meeting)] = Field(Meeting(), alias="meeting_url")
    bot_name: Annotated[Tolerant[str], AfterValidator(without_passwords)] = None
    metadata: Metadata = Field(default_factory=dict)
    recording_config: Tolerant[dict[str, Any]] = None
    join_at: Tolerant[Moment] = None
    status_changes: Annotated[list[StatusChange], BeforeValidator(_valid_items(StatusChange))] = []
    recordings: Annotated[list[Recording], BeforeValidator(_valid_items(Recording))] = []

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
    def mp3_requested(self) -> bool | None:
        """Whether the bot was told to make a mixed-audio MP3; None when its configuration is not known."""
        if self.recording_config is None:
            return None
        return self.recording_config.get("audio_mixed_mp3") is not None

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


R = TypeVar("R", bound=Record)


def read_record(kind: type[R], value: object) -> R | None:
    """Read one JSON value; None when it has no usable id (or, for a recording, no `created_at`)."""
    try:
        return kind.model_validate(value)
    except ValidationError:
        return None
