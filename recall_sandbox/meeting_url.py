"""Parser of meeting URLs: their platform, and how a bot shows them (docs/design/recall-api.md, section 4)."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

_PLATFORM_OF_HOST = {
    "zoom.us": "zoom",
    "meet.google.com": "google_meet",
    "teams.microsoft.com": "microsoft_teams",
    "teams.live.com": "microsoft_teams_live",
    "webex.com": "webex",
    "meet.goto.com": "goto_meeting",
    "app.slack.com": "slack_huddle_observer",
}


def platform_of(url: Any) -> str | None:
    """The platform of a meeting URL; None for anything else."""
    host = urlsplit(url).hostname if isinstance(url, str) else None
    for known, platform in _PLATFORM_OF_HOST.items():
        if host == known or (host and host.endswith(f".{known}")):
            return platform
    return None


def read_meeting_url(url: str) -> dict[str, Any]:
    """The JSON object that a bot shows for its meeting URL, with the password."""
    parts = urlsplit(url)
    shown: dict[str, Any] = {
        "meeting_id": parts.path.rstrip("/").rpartition("/")[2],
        "platform": platform_of(url),
    }
    if shown["platform"] == "zoom":
        shown["meeting_password"] = parse_qs(parts.query).get("pwd", [None])[0]
    return shown
