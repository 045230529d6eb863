"""A month on a turned clock: nothing is missing after a standstill, a lost table and an erasure."""

from pathlib import Path

from recall_pipeline_tests.chaos.year import pass_a_month, table_of


def test_a_month_of_three_meetings_a_day_is_archived_completely(tmp_path: Path) -> None:
    report = pass_a_month(tmp_path)
    assert not any(report.wrong.values()), table_of(report)
    assert report.outcomes["ready"] > report.recordings / 2
    assert list(report.events.values()) == [1, 1, 1]
