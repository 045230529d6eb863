"""Which meeting a bot was sent to, without the password that leads into it (docs/design/recall-api.md, section 4)."""

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
# The guide's table: no mixed-audio MP3 is made on these.
_WITHOUT_MP3 = ("webex", "slack", "goto")


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting's platform and id, as far as they are known."""

    platform: str | None = None
    meeting_id: str | None = None

    @property
    def makes_mp3(self) -> bool:
        """Whether mixed-audio MP3 exists on the platform; an unknown platform gets the benefit of the doubt."""
        return not (self.platform or "").startswith(_WITHOUT_MP3)


def read_meeting(meeting_url: object) -> Meeting:
    """Read `meeting_url` in any of its shapes: an object, a URL, or null."""
    if isinstance(meeting_url, str):
        return _from_url(meeting_url)
    if not isinstance(meeting_url, Mapping):
        return Meeting()
    platform, meeting_id = meeting_url.get("platform"), meeting_url.get("meeting_id")
    return Meeting(
        platform if isinstance(platform, str) else None,
        _id_alone(str(meeting_id)) if isinstance(meeting_id, str | int) and not isinstance(meeting_id, bool) else None,
    )


def _id_alone(text: str) -> str:
    """Cut off what follows an id in a link: that is where passwords are."""
    return re.split(r"[?&;#]", unquote(text), maxsplit=1)[0]


def _from_url(url: str) -> Meeting:
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        host = parts.hostname or ""
    except ValueError:
        return Meeting()
    domain = next(
        (known for known in _PLATFORM_OF_DOMAIN if host == known or host.endswith(f".{known}")),
        None,
    )
    if domain is None:
        return Meeting()
    # The id is the longest step, the last of those: /wc/812.../join, /l/meetup-join/19:meeting_.../0, /abc-defg-hij
    step = max((_id_alone(step) for step in reversed(parts.path.split("/"))), key=len)
    return Meeting(_PLATFORM_OF_DOMAIN[domain], step or None)
