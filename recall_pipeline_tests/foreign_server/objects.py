"""The objects of a workspace as JSON, in the shapes of docs/design/recall-api.md, sections 1, 4 to 6 and 10."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

Row = dict[str, Any]
Mint = Callable[[str], str]
"""Makes a new download link for the artifact with this id."""
PARTICIPANT = "Wilhelmina Participant"
PASSWORD = "pass-of-a-meeting"  # noqa: S105 -- a canary
VIDEO_TOKEN = "token-of-a-video"  # noqa: S105 -- a canary
MEETINGS = 5
_PLATFORMS = ("zoom", "google_meet", "microsoft_teams")
_HISTORY = ("ready", "joining_call", "in_call_recording", "call_ended", "recording_done", "done")
_REQUIRED = ("id", "meeting_url", "status_changes", "recordings", "calendar_meetings", "slack_team")
_NULLABLE = ("status", "media_shortcuts", "expires_at", "metadata")
_TAKE = timedelta(minutes=4)


def object_id(kind: str, meeting: int, take: int = 0) -> str:
    """Return the id of an object: the same one in every workspace."""
    return str(uuid5(NAMESPACE_URL, f"{kind} {meeting} {take}"))


@dataclass
class Objects:
    """Meetings of one day; the last one was recorded twice. Each recording has an MP3.

    `dialects`: what differs from the documentation (see `server.DIALECTS`). `is_cleared`: whether Recall has removed
    the meeting URLs meanwhile.
    """

    day: date
    dialects: frozenset[str] = frozenset()
    is_cleared: bool = False
    takes: list[tuple[int, int]] = field(
        default_factory=lambda: [*((meeting, 0) for meeting in range(MEETINGS)), (MEETINGS - 1, 1)]
    )

    def bots(self, mint: Mint) -> Iterator[Row]:
        """Yield every bot with its recordings."""
        for meeting in range(MEETINGS):
            starts = self._starts(meeting, 0)
            codes = (*_HISTORY, *(["media_expired"] if "all_expired" in self.dialects else []))
            changes = [(code, starts + timedelta(seconds=place)) for place, code in enumerate(codes)]
            bot = {
                "id": object_id("bot", meeting),
                "meeting_url": None if self.is_cleared else self._meeting_url(meeting),
                "bot_name": f"Notes {meeting}",
                "join_at": _text(starts),
                "metadata": {"team": "sales"},
                "recording_config": {"audio_mixed_mp3": {"metadata": {}}, "retention": {"type": "forever"}},
                "status_changes": [
                    {"code": code, "message": None, "created_at": _text(at), "sub_code": None} for code, at in changes
                ],
                "recordings": [self._embedded(*take, mint) for take in self._kept() if take[0] == meeting],
                "calendar_meetings": [],
                "slack_team": None,
                **(_fields_of_v1_10() if "v1.10" in self.dialects else {}),
            }
            yield {name: bot[name] for name in _REQUIRED} if "required_only" in self.dialects else bot

    def recordings(self, mint: Mint) -> Iterator[Row]:
        """Yield every recording."""
        for meeting, take in self._kept():
            bot_id = object_id("bot", meeting)
            bot = bot_id if "text" in self.dialects else {"id": bot_id, "metadata": {"team": "sales"}}
            yield {**self._recording(meeting, take, mint), "bot": bot, "desktop_sdk_upload": None}

    def artifacts(self, mint: Mint) -> Iterator[Row]:
        """Yield every artifact of mixed audio."""
        for meeting, take in self._kept():
            audio, recording_id = self._artifact(meeting, take, mint), object_id("recording", meeting, take)
            of = recording_id if "text" in self.dialects else {"id": recording_id, "metadata": {}}
            yield {**audio, "recording": of}

    def _kept(self) -> list[tuple[int, int]]:
        return [] if "all_expired" in self.dialects else self.takes

    def _starts(self, meeting: int, take: int) -> datetime:
        return datetime.combine(self.day, time(9), UTC) + meeting * timedelta(hours=1) + take * 2 * _TAKE

    def _meeting_url(self, meeting: int) -> Row:
        platform, number = _PLATFORMS[meeting % len(_PLATFORMS)], f"81{meeting:09}"
        if platform == "microsoft_teams":  # for Business
            of_thread = {"thread_id": f"19:meeting_{number}@thread.v2", "organizer_id": object_id("organizer", meeting)}
            return {"platform": platform, "meeting_id": None, **of_thread}
        return {"platform": platform, "meeting_id": number, "meeting_password": PASSWORD}

    def _embedded(self, meeting: int, take: int, mint: Mint) -> Row:
        full = self._recording(meeting, take, mint)
        shapes = [name for name in ("v1.10", "null") if name in self.dialects]
        match shapes[meeting % len(shapes)] if shapes else None:
            case "v1.10":
                return {name: full[name] for name in ("id", "created_at", "started_at", "completed_at")}
            case "null":
                return full | dict.fromkeys(_NULLABLE)
            case _:
                return full

    def _recording(self, meeting: int, take: int, mint: Mint) -> Row:
        starts, ends = self._starts(meeting, take), self._starts(meeting, take) + _TAKE
        shortcuts = dict.fromkeys(("video_mixed", "transcript", "participant_events", "meeting_metadata"))
        shown = {
            "id": object_id("recording", meeting, take),
            "created_at": _text(starts),
            "started_at": _text(starts + timedelta(milliseconds=250)),
            "completed_at": _text(ends),
            "expires_at": None,
            "status": self._done(ends),
            "media_shortcuts": {**shortcuts, "audio_mixed": self._artifact(meeting, take, mint)},
            "metadata": {},
        }
        return shown | (dict.fromkeys(_NULLABLE) if "null_everywhere" in self.dialects else {})

    def _artifact(self, meeting: int, take: int, mint: Mint) -> Row:
        audio_id, ends = object_id("audio", meeting, take), self._starts(meeting, take) + _TAKE
        link = mint(audio_id)
        is_flat, is_alone = "flat" in self.dialects, "flat_only" in self.dialects
        return {
            "id": audio_id,
            "created_at": _text(self._starts(meeting, take)),
            "status": self._done(ends),
            "metadata": {},
            **({"download_url": link} if is_flat or is_alone else {}),
            **({} if is_alone else {"data": {"download_url": None if is_flat else link}}),
            "format": "mp3",
        }

    def _done(self, at: datetime) -> str | Row:
        return "done" if "text" in self.dialects else {"code": "done", "sub_code": None, "updated_at": _text(at)}


def _fields_of_v1_10() -> Row:
    return {
        "meeting_participants": [
            {"id": 100, "name": PARTICIPANT, "is_host": True, "events": [], "platform": "desktop"}
        ],
        "video_url": f"https://media.invalid/video.mp4?X-Amz-Security-Token={VIDEO_TOKEN}",
        "meeting_metadata": {"title": f"Weekly of {PARTICIPANT}"},
        "recap": f"{PARTICIPANT} will call back",
        "media_retention_end": None,
    }


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
