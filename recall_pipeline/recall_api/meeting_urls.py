"""Parse meeting URLs into platform and meeting id, without passwords (docs/design/recall-api.md, section 4)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

_PLATFORM_OF_DOMAIN = {
    "zoom.us": "zoom",
    "zoomgov.com": "zoom",
    "meet.google.com": "google_meet",
    "teams.microsoft.com": "microsoft_teams",
    "teams.live.com": "microsoft_teams_live",
    "webex.com": "webex",
    "gotomeeting.com": "goto_meeting",
    "goto.com": "goto_meeting",
    "gotomeet.me": "goto_meeting",
    "slack.com": "slack_huddle_observer",
}
# Platforms without mixed-audio MP3, from Recall's guide.
_WITHOUT_MP3 = ("webex", "slack", "goto")
_MTID = re.compile(r"(?:^|&)MTID=(\w+)", re.IGNORECASE)
_ID_FIELDS = (
    "meeting_id",
    *("thread_id", "business_meeting_id"),  # Microsoft Teams for Business
    *("meeting_mtid", "meeting_path", "meeting_personal_room_id"),  # Webex
)


@dataclass(frozen=True, slots=True)
class Meeting:
    """The platform and id of a meeting; None if not known."""

    platform: str | None = None
    meeting_id: str | None = None

    @property
    def makes_mp3(self) -> bool:
        """Whether the platform supports mixed-audio MP3. Unknown platforms count as supported."""
        return not (self.platform or "").startswith(_WITHOUT_MP3)


def parse_meeting(meeting_url: object) -> Meeting:
    """Parse `meeting_url` in any of its shapes: an object, a URL, or null."""
    if isinstance(meeting_url, str):
        return _from_url(meeting_url)
    if not isinstance(meeting_url, Mapping):
        return Meeting()
    platform = meeting_url.get("platform")
    ids = (_id_text(meeting_url.get(name)) for name in _ID_FIELDS)
    return Meeting(platform if isinstance(platform, str) else None, next((text for text in ids if text), None))


def _id_text(value: object) -> str | None:
    is_id = isinstance(value, str | int) and not isinstance(value, bool)
    return _without_parameters(str(value)) if is_id else None


def _without_parameters(text: str) -> str:
    """Return `text` up to the first query or fragment character, after which passwords may follow."""
    return re.split(r"[?&;#]", unquote(text), maxsplit=1)[0]


def _from_url(url: str) -> Meeting:
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        host = parts.hostname or ""
    except ValueError:
        return Meeting()
    domain = next(
        (name for name in _PLATFORM_OF_DOMAIN if host == name or host.endswith(f".{name}")),
        None,
    )
    if domain is None:
        return Meeting()
    if mtid := _MTID.search(parts.query):  # Webex; the path is then that of a program, such as j.php
        return Meeting(_PLATFORM_OF_DOMAIN[domain], mtid[1])
    # The id is the longest path segment, the last one if equal: /wc/812.../join, /l/meetup-join/19:meeting_.../0
    segment = max((_without_parameters(segment) for segment in reversed(parts.path.split("/"))), key=len)
    return Meeting(_PLATFORM_OF_DOMAIN[domain], segment or None)
