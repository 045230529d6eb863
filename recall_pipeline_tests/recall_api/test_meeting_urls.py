"""Which meeting it is, and never the password that leads into it (docs/design/recall-api.md, section 4)."""

from typing import Any

import pytest

from recall_pipeline.recall_api import Meeting
from recall_pipeline.recall_api.meeting_urls import parse_meeting

PASSWORD = "opens-it"  # noqa: S105 -- opens nothing


@pytest.mark.parametrize(
    ("url", "platform", "meeting_id"),
    [
        ("https://example.zoom.us/j/81234567890", "zoom", "81234567890"),
        ("https://zoom.us/wc/81234567890/join?prefer=1", "zoom", "81234567890"),
        ("example.zoom.us/j/81234567890", "zoom", "81234567890"),
        ("https://agency.zoomgov.com/j/1612345678", "zoom", "1612345678"),
        ("https://meet.google.com/abc-defg-hij", "google_meet", "abc-defg-hij"),
        ("https://teams.microsoft.com/meet/2345678901234?p=x", "microsoft_teams", "2345678901234"),
        (
            "https://teams.microsoft.com/l/meetup-join/19%3ameeting_NjY%40thread.v2/0?context=%7b%7d",
            "microsoft_teams",
            "19:meeting_NjY@thread.v2",
        ),
        ("https://teams.live.com/meet/9312345678901", "microsoft_teams_live", "9312345678901"),
        ("https://example.webex.com/meet/somebody", "webex", "somebody"),
        ("https://example.webex.com/example/j.php?MTID=m0a1b2&pw=x", "webex", "m0a1b2"),
        ("https://example.webex.com/wbxmjs/joinservice/sites/example/meeting/download/0a1b?mtid=m3#x", "webex", "m3"),
        ("https://global.gotomeeting.com/join/123456789", "goto_meeting", "123456789"),
        ("https://app.slack.com/huddle/T0123456/C0123456", "slack_huddle_observer", "C0123456"),
        ("https://zoom.us", "zoom", None),
        ("https://zoom.us.example.invalid/j/1", None, None),
        ("https://meetings.example.invalid/j/1", None, None),
        ("https://[::1/j/1", None, None),
        ("not a url", None, None),
        ("", None, None),
    ],
)
def test_a_meeting_url_is_parsed_into_platform_and_id(url: str, platform: str | None, meeting_id: str | None) -> None:
    assert parse_meeting(url) == Meeting(platform, meeting_id)


@pytest.mark.parametrize(
    ("shown", "meeting"),
    [
        ({"platform": "zoom", "meeting_id": "81234567890"}, Meeting("zoom", "81234567890")),
        ({"platform": "zoom", "meeting_id": 81234567890}, Meeting("zoom", "81234567890")),
        ({"platform": "holo_meet"}, Meeting("holo_meet", None)),
        ({"platform": 7, "meeting_id": True}, Meeting()),
        ({"platform": None, "meeting_id": ["812"]}, Meeting()),
        ({}, Meeting()),
        (None, Meeting()),
        (812, Meeting()),
        (["https://zoom.us/j/812"], Meeting()),
    ],
)
def test_an_object_is_parsed_and_any_other_shape_is_unknown(shown: Any, meeting: Meeting) -> None:
    assert parse_meeting(shown) == meeting


@pytest.mark.parametrize(
    "shown",
    [
        {"platform": "zoom", "meeting_id": "812", "meeting_password": PASSWORD},
        {"platform": "zoom", "meeting_id": f"812?pwd={PASSWORD}"},
        {"platform": "zoom", "meeting_id": f"https://zoom.us/j/812?pwd={PASSWORD}"},
        f"https://zoom.us/j/812?pwd={PASSWORD}",
        f"https://zoom.us/j/812#pwd={PASSWORD}",
        f"https://zoom.us/j/812&pwd={PASSWORD}",
        f"https://zoom.us/j/812;pwd={PASSWORD}",
        f"https://zoom.us/j/812%3Fpwd%3D{PASSWORD}",
        f"https://{PASSWORD}@zoom.us/j/812",
        f"zoom.us/j/812?pwd={PASSWORD}",
        f"https://teams.microsoft.com/meet/23?p={PASSWORD}",
        f"https://meetings.example.invalid/812/{PASSWORD}",
    ],
)
def test_a_password_is_dropped_in_every_shape(shown: Any) -> None:
    assert PASSWORD not in str(parse_meeting(shown))


@pytest.mark.parametrize("platform", ["webex", "slack_authenticator", "slack_huddle_observer", "goto_meeting"])
def test_the_guides_platforms_have_no_mixed_audio(platform: str) -> None:
    assert not Meeting(platform).makes_mp3


@pytest.mark.parametrize("platform", ["zoom", "google_meet", "microsoft_teams", "holo_meet", None])
def test_any_other_platform_may_have_mixed_audio(platform: str | None) -> None:
    assert Meeting(platform).makes_mp3


@pytest.mark.parametrize(
    ("shown", "meeting_id"),
    [
        (
            {"platform": "microsoft_teams", "meeting_id": None, "thread_id": "19:meeting_a@thread.v2"},
            "19:meeting_a@thread.v2",
        ),
        (
            {"platform": "microsoft_teams", "business_meeting_id": "23456", "business_meeting_password": PASSWORD},
            "23456",
        ),
        ({"platform": "webex", "meeting_subdomain": "acme", "meeting_mtid": "m1a2"}, "m1a2"),
        ({"platform": "webex", "meeting_subdomain": "acme", "meeting_path": "j.php"}, "j.php"),
        ({"platform": "webex", "meeting_personal_room_id": "pr77", "meeting_mtid": None}, "pr77"),
        ({"platform": "zoom", "meeting_id": "", "thread_id": f"9?pwd={PASSWORD}"}, "9"),
    ],
)
def test_the_id_of_each_platform_is_found(shown: dict[str, Any], meeting_id: str) -> None:
    assert parse_meeting(shown) == Meeting(shown["platform"], meeting_id)
