"""Which differences of length somebody should know of."""

import pytest

from recall_pipeline.catalog.duration_difference import notable_difference


@pytest.mark.parametrize(
    ("api_seconds", "decoded"),
    [(None, 10.0), (10.0, None), (10.0, 10.0), (10.0, 8.1), (10.0, 12.0), (3600.0, 3530.0), (3600.0, 3670.0)],
)
def test_a_difference_of_two_seconds_or_two_percent_is_not_a_finding(
    api_seconds: float | None, decoded: float | None
) -> None:
    assert notable_difference(api_seconds, decoded) is None


@pytest.mark.parametrize(("api_seconds", "decoded"), [(10.0, 7.9), (10.0, 12.1), (3600.0, 3527.0), (3600.0, 3673.0)])
def test_a_larger_difference_is_a_finding_with_both_lengths(api_seconds: float, decoded: float) -> None:
    difference = notable_difference(api_seconds, decoded)
    assert difference == f"decodes to {decoded:.0f} s, while the API's times span {api_seconds:.0f} s"
