"""The lists of the API, and how a window of time is stated in a request (docs/design/recall-api.md, section 4)."""

from datetime import datetime, timedelta
from typing import Literal

import httpx

from recall_pipeline.errors import RecallRefused
from recall_pipeline.recall_api.records import AudioMixed, Bot, Recording

Window = tuple[datetime, datetime]
Kind = Literal["bot", "recording", "audio_mixed"]
AnyListed = Bot | Recording | AudioMixed
RECORDS: dict[Kind, type[AnyListed]] = {"bot": Bot, "recording": Recording, "audio_mixed": AudioMixed}
_FILTERS: dict[Kind, str] = {"bot": "join_at", "recording": "created_at", "audio_mixed": "created_at"}


def time_bounds(kind: Kind, window: Window) -> dict[str, str]:
    """Return the query for a window [from, to) by times."""
    after, before = (moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in window)
    return _query(kind, after, before)


def date_bounds(kind: Kind, window: Window) -> dict[str, str]:
    """Return the query for the days that contain a window. The last day is excluded, so it is the next midnight."""
    last = (window[1] + timedelta(days=1, microseconds=-1)).date()
    return _query(kind, window[0].date().isoformat(), last.isoformat())


def refuses_times(refused: RecallRefused, kind: Kind) -> bool:
    """Return whether a request may be refused because its filter takes dates; for bots, whatever the text says."""
    names_filter = kind == "bot" or _FILTERS[kind] in str(refused)
    return refused.status_code == httpx.codes.BAD_REQUEST and names_filter


def _query(kind: Kind, after: str, before: str) -> dict[str, str]:
    return {f"{_FILTERS[kind]}_after": after, f"{_FILTERS[kind]}_before": before}
