"""When a day was listed for the first time after its end. It is a fact of the table `recordings` that no sync changes.

So the archive shows in which nights syncs ran, although the days of these nights are listed again later.
"""

from collections.abc import Mapping
from datetime import date, datetime

from recall_pipeline.days import end_of

_FACT = "first_listed_at"


def first_listed_at(facts: Mapping[str, str] | None) -> datetime | None:
    """Return this moment from the facts of a day's table `recordings`; None before the end, and in older tables."""
    return _moment(facts or {}, _FACT)


def first_listing_fact(day: date, before: Mapping[str, str], listed_at: datetime) -> dict[str, str]:
    """Return the fact to write with a listing of `day`; `before`: the facts of the table that it replaces."""
    listed_before = _moment(before, "listed_at")
    if listed_before and listed_before >= end_of(day):
        return {_FACT: before[_FACT]} if _FACT in before else {}
    return {_FACT: listed_at.isoformat()} if listed_at >= end_of(day) else {}


def _moment(facts: Mapping[str, str], name: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(facts.get(name, ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
