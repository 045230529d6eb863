"""Parser of meeting URLs: their platform, and how a bot shows them (docs/design/recall-api.md, section 4)."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

Shown = dict[str, Any]
_PLATFORM_OF_HOST = {
    "zoom.us": "zoom",
    "meet.google.com": "google_meet",
    "teams.microsoft.com": "microsoft_teams",
    "teams.live.com": "microsoft_teams_live",
    "webex.com": "webex",
    "meet.goto.com": "goto_meeting",
    "app.slack.com": "slack_huddle_observer",
}
_THREAD = re.compile(r"/l/meetup-join/(?P<thread>[^/]+)/(?P<message>[^/]+)")
_PERSONAL_ROOM = re.compile(r"pr\d+")


def platform_of(url: Any) -> str | None:
    """The platform of a meeting URL; None for anything else."""
    host = urlsplit(url).hostname if isinstance(url, str) else None
    for known, platform in _PLATFORM_OF_HOST.items():
        if host == known or (host and host.endswith(f".{known}")):
            return platform
    return None


def read_meeting_url(url: str) -> Shown:
    """The JSON object that a bot shows for its meeting URL, with the password."""
    parts, platform = urlsplit(url), platform_of(url)
    fields = _FIELDS.get(platform or "", _meeting_id)(parts)
    return {**fields, "platform": platform}


def _meeting_id(parts: SplitResult) -> Shown:
    return {"meeting_id": _last_segment(parts)}


def _zoom(parts: SplitResult) -> Shown:
    return {**_meeting_id(parts), "meeting_password": _parameter(parts, "pwd")}


def _teams(parts: SplitResult) -> Shown:
    """Teams for Business: a thread of a tenant, or a number with a password."""
    if found := _THREAD.match(parts.path):
        context = json.loads(_parameter(parts, "context") or "{}")
        thread = {"thread_id": unquote(found["thread"]), "message_id": found["message"]}
        return {"meeting_id": None, **thread, "tenant_id": context.get("Tid"), "organizer_id": context.get("Oid")}
    number = {"business_meeting_id": _last_segment(parts), "business_meeting_password": _parameter(parts, "p")}
    return {"meeting_id": None, **number}


def _teams_live(parts: SplitResult) -> Shown:
    return {**_meeting_id(parts), "meeting_password": _parameter(parts, "p")}


def _webex(parts: SplitResult) -> Shown:
    """Webex: a subdomain, and a number in the query, a personal room, or the path."""
    shown: Shown = {"meeting_subdomain": (parts.hostname or "").partition(".")[0]}
    last = _last_segment(parts)
    if mtid := _parameter(parts, "MTID"):
        return {**shown, "meeting_mtid": mtid}
    name = "meeting_personal_room_id" if _PERSONAL_ROOM.fullmatch(last) else "meeting_path"
    return {**shown, name: last}


def _last_segment(parts: SplitResult) -> str:
    return parts.path.rstrip("/").rpartition("/")[2]


def _parameter(parts: SplitResult, name: str) -> str | None:
    return next(iter(parse_qs(parts.query).get(name, [])), None)


_FIELDS: Mapping[str, Callable[[SplitResult], Shown]] = {
    "zoom": _zoom,
    "microsoft_teams": _teams,
    "microsoft_teams_live": _teams_live,
    "webex": _webex,
}
