"""The first listing after a day's end is a fact of the day that later listings keep."""

from datetime import date, timedelta

import pytest

from recall_pipeline.days import end_of
from recall_pipeline.discovery import first_listed_at
from recall_pipeline.discovery.first_listings import first_listing_fact

DAY = date(2026, 3, 2)
END, HOUR = end_of(DAY), timedelta(hours=1)


def test_a_listing_before_the_end_of_the_day_is_not_its_first() -> None:
    assert first_listing_fact(DAY, {}, END - HOUR) == {}
    before = {"listed_at": (END - HOUR).isoformat()}
    assert first_listed_at(first_listing_fact(DAY, before, END)) == END


def test_later_listings_keep_the_first_one() -> None:
    first = {"listed_at": END.isoformat(), **first_listing_fact(DAY, {}, END)}
    again = {"listed_at": (END + HOUR).isoformat(), **first_listing_fact(DAY, first, END + HOUR)}
    assert first_listed_at(first_listing_fact(DAY, again, END + 2 * HOUR)) == END


def test_a_table_of_an_older_version_does_not_state_it_and_neither_do_later_ones() -> None:
    assert first_listing_fact(DAY, {"listed_at": END.isoformat()}, END + HOUR) == {}


@pytest.mark.parametrize("facts", [None, {}, {"first_listed_at": "?"}, {"first_listed_at": "2026-03-03T00:00:00"}])
def test_other_facts_state_no_moment(facts: dict[str, str] | None) -> None:
    assert first_listed_at(facts) is None
