"""Hypothesis strategies for API payloads, valid ones and damaged ones (docs/design/recall-api.md, sections 4 to 6, 10).

`workspaces` yields possible responses of a hostile or broken service for one day. Some rows are valid. In others, parts
are missing, null, of another type, huge, unknown, nested, or not valid Unicode.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

Json = Any
Row = dict[str, Json]
DAY = date(2026, 3, 2)
KINDS = ("bot", "recording", "audio_mixed")
_MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
_MOST_CORRUPTIONS = 4

_UUIDS = st.uuids(version=4).map(str)
_MOMENTS = st.integers(0, 86_399).map(lambda second: (_MIDNIGHT + timedelta(seconds=second)).isoformat())
_PLATFORMS = st.sampled_from(
    ["zoom", "google_meet", "microsoft_teams", "webex", "goto_meeting", "slack_huddle_observer"]
)
_BOT_CODES = st.sampled_from(
    ["ready", "joining_call", "in_call_recording", "call_ended", "done", "fatal", "media_expired"]
)
_CODES = st.sampled_from(["processing", "paused", "done", "failed", "deleted"])
_URLS = st.sampled_from(
    [
        "https://media.invalid/a.mp3?X-Amz-Signature=abc&X-Amz-Security-Token=def",
        "http://127.0.0.1/a.mp3", "http://169.254.169.254/latest/meta-data", "http://[::1", "http://[v1.x]/", "//x", "",
        "file:///etc/passwd", "ftp://host/a", "http://user:pass@host/", "http://\u2603.invalid/", "http://a:99999/",
        "https://xn--a/", "http://host\r\nX: y/", "https://media.invalid/\ud800.mp3", "https://media.invalid/a\x00b",
        "javascript:alert(1)", "data:audio/mpeg;base64,AAAA", "HTTPS://MEDIA.INVALID:443/%zz?%",
        "https://media.invalid?#", "http://" + "a" * 300 + ".invalid/", "http:///nowhere",
    ]
)  # fmt: skip
_MEETING_URLS = st.one_of(
    st.none(),
    st.builds(lambda p: {"meeting_id": "812", "meeting_password": "hidden", "platform": p}, _PLATFORMS),
    st.sampled_from(["https://zoom.us/j/812?pwd=hidden", "meet.google.com/abc-defg-hij", "http://[", "?", "zoom.us"]),
)
_TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["\x00", "\ud800", "\ufeff", "NaN", "../../etc/passwd", "sparkling", "é" * 500, "x" * 20_000]),
)
_WRONG_MOMENTS = st.sampled_from(
    [
        "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2999-01-01T00:00:00Z", "2026-02-30T00:00:00Z",
        "2026-03-02", "2026-03-02T09:00:00", "2026-W10-1T09:00:00Z", "2026-03-02T09:00:00+99:99", "20260302T090000Z",
        "2026-03-02T24:00:00Z", "2026-03-02T09:00:60Z", "-2026-03-02T09:00:00Z", "2026-03-02T25:00:00Z",
        "1772446821", "yesterday", "2026-03-02T09:00:21.123456789Z",
    ]
)  # fmt: skip
_NUMBERS = st.one_of(
    st.integers(), st.floats(), st.sampled_from([10**30, -(10**4000), 2**63, 1e308, -0.0, 1772446821, 253402300800])
)
_JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), _NUMBERS, _TEXTS, _WRONG_MOMENTS, _UUIDS, _URLS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)
_DEEP = st.integers(1, 400).map(lambda depth: _nested(depth))


def _nested(depth: int) -> Json:
    value: Json = "deep"
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


def _optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


_STATUSES = st.fixed_dictionaries({"code": _CODES, "sub_code": _optional(_TEXTS), "updated_at": _MOMENTS})
_METADATA = st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=2)
_REFERENCES = st.fixed_dictionaries({"id": _UUIDS, "metadata": _METADATA})
_AUDIO_WITHIN = st.fixed_dictionaries(
    {
        "id": _UUIDS,
        "created_at": _MOMENTS,
        "status": _STATUSES,
        "metadata": _METADATA,
        "data": st.fixed_dictionaries({"download_url": _optional(_URLS)}),
        "format": st.sampled_from(["mp3", "raw"]),
    }
)
_RECORDINGS_WITHIN = st.fixed_dictionaries(
    {
        "id": _UUIDS,
        "created_at": _MOMENTS,
        "started_at": _optional(_MOMENTS),
        "completed_at": _optional(_MOMENTS),
        "expires_at": _optional(_MOMENTS),
        "status": _STATUSES,
        "media_shortcuts": st.fixed_dictionaries({"video_mixed": st.none(), "audio_mixed": _optional(_AUDIO_WITHIN)}),
        "metadata": _METADATA,
    }
)
_ROWS: dict[str, st.SearchStrategy[Row]] = {
    "bot": st.fixed_dictionaries(
        {
            "id": _UUIDS,
            "meeting_url": _MEETING_URLS,
            "bot_name": _optional(_TEXTS),
            "join_at": _optional(_MOMENTS),
            "metadata": _METADATA,
            "recording_config": st.sampled_from([None, {}, {"audio_mixed_mp3": {}}, {"video_mixed_mp4": None}]),
            "status_changes": st.lists(
                st.fixed_dictionaries(
                    {"code": _BOT_CODES, "message": st.none(), "created_at": _MOMENTS, "sub_code": _optional(_TEXTS)}
                ),
                max_size=3,
            ),
            "recordings": st.lists(_RECORDINGS_WITHIN, max_size=2),
            "calendar_meetings": st.just([]),
        }
    ),
    "recording": st.builds(lambda row, bot: {**row, "bot": bot}, _RECORDINGS_WITHIN, _optional(_REFERENCES)),
    "audio_mixed": st.builds(lambda row, of: {**row, "recording": of}, _AUDIO_WITHIN, _REFERENCES),
}


@st.composite
def _corrupted(draw: st.DrawFn, rows: st.SearchStrategy[Row]) -> Row:
    """Draw a row and damage parts of it; sometimes the result is not an object."""
    holder = {"row": copy.deepcopy(draw(rows))}
    for _ in range(draw(st.integers(0, _MOST_CORRUPTIONS))):
        place, key = draw(st.sampled_from(_places(holder)))
        match draw(st.sampled_from(["replace", "drop", "deepen", "repeat", "add"])):
            case "drop" if place is not holder:
                del place[key]
            case "deepen":
                place[key] = draw(_DEEP)
            case "repeat":
                place[key] = [place[key]] * draw(st.integers(0, 3))
            case "add" if isinstance(place, dict) and place is not holder:
                place[draw(_TEXTS)] = draw(_JUNK)
            case _:
                place[key] = draw(_JUNK)
    return holder["row"]


def _places(value: Json) -> list[tuple[Any, Any]]:
    """Return every position in a JSON value, as its container and the key within."""
    items = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else [])
    return [(value, key) for key, _ in items] + [place for _, item in items for place in _places(item)]


@dataclass(frozen=True)
class Workspace:
    """The rows of a service for `DAY`, by kind; those in `good` are valid.

    `torn` damages an answer's text, `reshaped` its page; neither is there in most workspaces.
    """

    rows: dict[str, list[Json]]
    good: dict[str, set[str]]
    torn: Callable[[bytes], bytes] | None = None
    reshaped: Callable[[Row], Json] | None = None

    @property
    def has_whole_answers(self) -> bool:
        """Whether only rows can be invalid."""
        return self.torn is None and self.reshaped is None


def _good_rows(number: int) -> dict[str, Row]:
    """Return a bot, its recording and its MP3, as in the service's example (docs/design/recall-api.md, section 10)."""
    bot_id, recording_id, audio_id = (str(UUID(int=(number << 8) + kind, version=4)) for kind in (1, 2, 3))
    at = (_MIDNIGHT + timedelta(hours=9, minutes=number)).isoformat()
    status = {"code": "done", "sub_code": None, "updated_at": at}
    audio = {"id": audio_id, "created_at": at, "status": status, "metadata": {}, "data": {"download_url": None}}
    recording = {"id": recording_id, "created_at": at, "status": status, "media_shortcuts": {}, "metadata": {}}
    bot: Row = {
        "id": bot_id,
        "join_at": at,
        "meeting_url": None,
        "metadata": {},
        "status_changes": [],
        "recordings": [],
    }
    return {
        "bot": bot,
        "recording": {**recording, "bot": {"id": bot_id}},
        "audio_mixed": {**audio, "format": "mp3", "recording": {"id": recording_id, "metadata": {}}},
    }


_TEARS = st.sampled_from(
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace(b'"', b"'", 1),
        lambda text: text.decode().encode("utf-16"),
        lambda text: b"\xff" + text,
        lambda text: text.replace(b"2026", b"\xed\xa0\x80"),
        lambda text: text.replace(b"null", b"9" * 5000),
        lambda text: text.replace(b"null", b"-Infinity").replace(b"{}", b'{"a": NaN, "b": 1e999}'),
        lambda text: text.replace(b'"id":', b'"id": null, "id":').replace(b'"results":', b'"results": 7, "results":'),
        lambda text: text.replace(b'"id":', b'"id": "first of two", "id":').replace(b'"next":', b'"next": 7, "next":'),
        lambda text: text.replace(b'": "', b'": "\x01\x1b[31m'),
        lambda text: text.replace(b"null", b'"\\u0000\\u001b]0;\\u202e\\udfff"'),
        lambda text: text.replace(b"null", b'{"a":' * 3000 + b"1" + b"}" * 3000, 1),
        lambda _: b"[" * 100_000,
        lambda _: b"",
    ]
)
_RESHAPES = st.one_of(
    _JUNK.map(lambda junk: lambda _: junk),
    _JUNK.map(lambda junk: lambda page: {**page, "results": junk}),
    _JUNK.map(lambda junk: lambda page: {**page, "next": junk}),
)


@st.composite
def workspaces(draw: st.DrawFn) -> Workspace:
    """Draw a workspace; in every third only rows can be invalid, and it must be archived."""
    rows: dict[str, list[Json]] = {kind: draw(st.lists(_corrupted(_ROWS[kind]), max_size=3)) for kind in KINDS}
    good: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for number in range(1, 3):
        for kind, row in _good_rows(number).items():
            rows[kind].insert(draw(st.integers(0, len(rows[kind]))), row)
            good[kind].add(row["id"])
    harm = draw(st.sampled_from(["rows", "rows", "text", "page"]))
    return Workspace(
        rows,
        good,
        torn=draw(_TEARS) if harm == "text" else None,
        reshaped=draw(_RESHAPES) if harm == "page" else None,
    )
