"""When the listing of a day was taken, and the first one after its end: facts of the table `recordings`.

No sync changes the second. So the archive shows in which nights syncs ran, although these days are listed again later.
"""

from collections.abc import Mapping
from datetime import date, datetime

from recall_pipeline.days import end_of

_LISTED_AT, _FIRST_LISTED_AT = "listed_at", "first_listed_at"


def listing_time(facts: Mapping[str, str]) -> datetime | None:
    """Return when the listing was taken from which a table was made; None if its facts state no moment."""
    return _moment(facts, _LISTED_AT)


def first_listing_time(facts: Mapping[str, str]) -> datetime | None:
    """Return when the day was listed for the first time after its end; None before it, and in older tables."""
    return _moment(facts, _FIRST_LISTED_AT)


def listing_facts(day: date, before: Mapping[str, str], listed_at: datetime) -> dict[str, str]:
    """Return both facts of a listing of `day`; `before`: the facts of the table that it replaces."""
    facts, listed_before = {_LISTED_AT: listed_at.isoformat()}, listing_time(before)
    if listed_before and listed_before >= end_of(day):
        return facts | {name: text for name, text in before.items() if name == _FIRST_LISTED_AT}
    return facts | ({_FIRST_LISTED_AT: listed_at.isoformat()} if listed_at >= end_of(day) else {})


def _moment(facts: Mapping[str, str], name: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(facts.get(name, ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
