"""Frozen dataclasses of what the service stores: bots, recordings and artifacts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from recall_sandbox.content import Content


@dataclass(frozen=True)
class SandboxStatusChange:
    """One status change of a bot (docs/design/recall-api.md, section 4)."""

    code: str
    created_at: datetime
    sub_code: str | None = None
    message: str | None = None


@dataclass(frozen=True)
class SandboxBot:
    """A bot; `meeting_url` is what a read shows, `requested_url` the URL of the request that created it."""

    id: str
    name: str
    platform: str | None
    meeting_url: Any
    requested_url: str | None
    join_at: datetime | None
    status_changes: tuple[SandboxStatusChange, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)
    recording_config: Mapping[str, Any] | None = None
    unknown_fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> str | None:
        """The latest status code, or None before the first."""
        return self.status_changes[-1].code if self.status_changes else None


@dataclass(frozen=True)
class SandboxRecording:
    """A recording (docs/design/recall-api.md, section 5).

    `listed`: the recording list shows it. `embedded`: its bot shows it. `gone`: a lookup answers 404.
    `shortcut_id`: the artifact that `media_shortcuts.audio_mixed` shows.
    """

    id: str
    bot_id: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    updated_at: datetime
    status: str = "done"
    sub_code: str | None = None
    expires_at: datetime | None = None
    shortcut_id: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    listed: bool = True
    embedded: bool = True
    gone: bool = False
    unknown_fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Artifact:
    """A mixed-audio artifact (docs/design/recall-api.md, section 6); without `content` it has no link."""

    id: str
    recording_id: str
    created_at: datetime
    updated_at: datetime
    content: Content | None
    status: str = "done"
    sub_code: str | None = None
    format: str = "mp3"
    metadata: Mapping[str, str] = field(default_factory=dict)
    listed: bool = True
    gone: bool = False
