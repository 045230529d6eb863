"""The first listing after a day's end is a fact of the day that later listings keep."""

from datetime import date, timedelta

import pytest

from recall_pipeline.days import end_of
from recall_pipeline.discovery import first_listing_time, listing_time
from recall_pipeline.discovery.listing_times import listing_facts

DAY = date(2026, 3, 2)
END, HOUR = end_of(DAY), timedelta(hours=1)


def test_a_listing_before_the_end_of_the_day_is_not_its_first() -> None:
    assert first_listing_time(listing_facts(DAY, {}, END - HOUR)) is None
    before = {"listed_at": (END - HOUR).isoformat()}
    assert first_listing_time(listing_facts(DAY, before, END)) == END


def test_later_listings_keep_the_first_one() -> None:
    first = listing_facts(DAY, {}, END)
    again = listing_facts(DAY, first, END + HOUR)
    assert listing_time(again) == END + HOUR
    assert first_listing_time(listing_facts(DAY, again, END + 2 * HOUR)) == END


def test_a_table_of_an_older_version_does_not_state_it_and_neither_do_later_ones() -> None:
    assert first_listing_time(listing_facts(DAY, {"listed_at": END.isoformat()}, END + HOUR)) is None


@pytest.mark.parametrize("facts", [{}, {"first_listed_at": "?"}, {"first_listed_at": "2026-03-03T00:00:00"}])
def test_other_facts_state_no_moment(facts: dict[str, str]) -> None:
    assert first_listing_time(facts) is None
