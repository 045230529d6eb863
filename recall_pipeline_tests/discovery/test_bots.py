"""A bot belongs to one day, and stays there (docs/design/interface.md, section 2)."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from recall_pipeline.days import ONE_DAY, end_of
from recall_pipeline.discovery import BotRow
from recall_pipeline_tests.discovery.meetings import Workplace
from recall_pipeline_tests.workspace import DAY, NINE, an_id
from recall_sandbox import Rule
from recall_sandbox.effects import EditJson
from recall_sandbox.json_views import PARTICIPANT
from recall_sandbox.records import SandboxStatusChange


def ids(rows: list[BotRow]) -> list[str]:
    return [row.bot_id for row in rows]


class TestRows:
    def test_a_row_has_the_values_of_the_bot(self, work: Workplace) -> None:
        work.meet("standup", endings=("done", "insights_ready"))
        (row,) = work.bots()
        assert (row.bot_id, row.bot_name, row.platform) == (an_id("standup bot"), "Archive Bot", "zoom")
        assert (row.meeting_id, row.join_at, row.mp3_requested) == ("812", NINE, True)
        assert (row.status, row.is_finished, row.media_expired) == ("insights_ready", True, False)
        assert (row.first_seen_at, row.last_changed_at) == (NINE - timedelta(hours=1), NINE + timedelta(minutes=31))
        assert json.loads(row.metadata or "") == {}

    def test_only_bots_of_the_day_have_one(self, work: Workplace) -> None:
        for name, at in (("before", NINE - ONE_DAY), ("today", NINE), ("midnight", end_of(DAY))):
            work.meet(name, at)
        assert ids(work.bots()) == [an_id("today bot")]

    def test_a_bot_without_recordings_has_one(self, work: Workplace) -> None:
        work.meet("standup", listed=False, embedded=False, gone=True)
        assert ids(work.bots()) == [an_id("standup bot")]

    def test_a_bot_without_join_at_is_found_through_its_recording(self, work: Workplace) -> None:
        work.meet("standup", joins_at=None)
        assert ids(work.bots()) == [an_id("standup bot")]

    def test_one_that_recorded_after_midnight_only_is_found_when_both_days_are_looked_at(self, work: Workplace) -> None:
        work.meet("late", end_of(DAY) + timedelta(minutes=5), joins_at=None, joined_at=end_of(DAY) - ONE_DAY / 48)
        assert ids(work.bots(DAY, last=DAY + ONE_DAY)) == [an_id("late bot")]
        assert work.bots(DAY + ONE_DAY) == []


class TestMemory:
    def test_a_bot_once_filed_stays_under_its_day_although_join_at_was_cleared(self, work: Workplace) -> None:
        work.meet("standup", joined_at=end_of(DAY) + timedelta(minutes=1))
        work.bots()
        work.world.change_bot(an_id("standup bot"), join_at=None)
        assert ids(work.bots()) == [an_id("standup bot")]
        assert work.bots(DAY + ONE_DAY) == []

    def test_a_bot_put_off_by_a_week_after_it_was_filed_stays_where_it_is(self, work: Workplace) -> None:
        work.meet("standup", listed=False, embedded=False, gone=True)
        work.bots()
        work.world.change_bot(an_id("standup bot"), join_at=NINE + 7 * ONE_DAY)
        assert work.bots(DAY + 7 * ONE_DAY) == []
        assert ids(work.bots()) == [an_id("standup bot")]

    def test_a_row_is_brought_up_to_date(self, work: Workplace) -> None:
        work.meet("standup", endings=())
        assert not work.bots()[0].is_finished
        bot = work.world.bots.get(an_id("standup bot"))
        assert bot is not None
        done = SandboxStatusChange("done", NINE + timedelta(hours=1))
        work.world.change_bot(bot.id, status_changes=(*bot.status_changes, done))
        assert work.bots()[0].is_finished

    def test_an_emptied_listing_loses_nothing(self, work: Workplace) -> None:
        work.meet("standup")
        before = work.bots()
        work.world.empty_listings()
        assert work.bots() == before


class TestClocks:
    @pytest.mark.parametrize("moment", [datetime.min, datetime.max, datetime(2999, 1, 1)])  # noqa: DTZ001, DTZ901
    def test_a_bot_whose_clock_is_far_off_is_filed_by_its_join_at(self, work: Workplace, moment: datetime) -> None:
        work.meet("earlier", NINE - ONE_DAY)
        work.bots(DAY - ONE_DAY)
        work.meet("standup", joined_at=moment.replace(tzinfo=UTC))
        assert ids(work.bots()) == [an_id("standup bot")]


class TestCalls:
    def test_a_day_without_gaps_costs_no_call_beside_the_walks(self, work: Workplace) -> None:
        for minute in range(12):
            work.meet(f"standup {minute}", NINE + timedelta(minutes=minute))
        work.bots()
        work.recordings()
        assert work.gaps() == []

    def test_a_gap_costs_one_call_for_both_tables(self, work: Workplace) -> None:
        work.meet("standup", joins_at=None)
        work.meet("review", NINE + timedelta(minutes=1))
        work.both()
        assert work.gaps() == [f"/api/v1/bot/{an_id('standup bot')}/"]

    def test_a_finished_bot_on_file_is_not_asked_for_again(self, work: Workplace) -> None:
        work.meet("standup", joins_at=None)
        work.both()
        work.sandbox.access_log.clear()
        rows = work.both()
        assert ids(rows) == [an_id("standup bot")]
        assert work.gaps() == []

    def test_one_that_is_not_finished_is(self, work: Workplace) -> None:
        work.meet("standup", joins_at=None, endings=())
        work.both()
        work.sandbox.access_log.clear()
        work.both()
        assert work.gaps() == [f"/api/v1/bot/{an_id('standup bot')}/"]


@pytest.mark.parametrize(
    "absent", ["bot_name", "join_at", "metadata", "recording_config", "meeting_url", "status_changes"]
)
@pytest.mark.parametrize("value", ["absent", None])
def test_what_a_bot_leaves_out_keeps_its_value(absent: str, value: str | None, work: Workplace) -> None:
    def without(page: dict[str, list[dict[str, object]]]) -> object:
        rows = [{**row, absent: None} for row in page["results"]]
        kept = [{name: each for name, each in row.items() if value is None or name != absent} for row in rows]
        return {**page, "results": kept}

    work.meet("standup")
    before = work.bots()
    work.sandbox.faults.add(Rule(EditJson(without), path="/bot/$"))
    assert work.bots() == before


def test_the_names_of_participants_are_not_stored(work: Workplace) -> None:
    work.sandbox.behaviour.bots_of_v1_10 = True
    work.meet("standup")
    [row] = work.bots()
    assert PARTICIPANT not in str(row)
    assert "media_retention_end" in (row.other_fields or "")
