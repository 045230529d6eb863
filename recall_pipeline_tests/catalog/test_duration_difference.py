"""Which differences of length somebody should know of."""

import pytest

from recall_pipeline.catalog.duration_difference import notable_difference


@pytest.mark.parametrize(
    ("said", "decoded"),
    [(None, 10.0), (10.0, None), (10.0, 10.0), (10.0, 8.1), (10.0, 12.0), (3600.0, 3530.0), (3600.0, 3670.0)],
)
def test_two_seconds_or_two_percent_are_not_worth_a_word(said: float | None, decoded: float | None) -> None:
    assert notable_difference(said, decoded) is None


@pytest.mark.parametrize(("said", "decoded"), [(10.0, 7.9), (10.0, 12.1), (3600.0, 3527.0), (3600.0, 3673.0)])
def test_more_is_told_with_both_lengths(said: float, decoded: float) -> None:
    told = notable_difference(said, decoded)
    assert told == f"decodes to {decoded:.0f} s, while the API's times span {said:.0f} s"
