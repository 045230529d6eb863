"""A day is due while it may still change, whatever its age, and not a day longer."""

import shutil
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recall_pipeline.audit import AUDIT
from recall_pipeline.catalog import CATALOG, CatalogRow, days_due
from recall_pipeline.catalog.due_days import DueDays, DueReason
from recall_pipeline.catalog.outcomes import SETTLED, Outcome
from recall_pipeline.days import days_between, end_of, start_of
from recall_pipeline.discovery import BOTS, RECORDINGS, RecordingRow
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.errors import StorageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, Table, open_archive
from recall_pipeline_tests.workspace import an_id

NOW = datetime(2026, 3, 10, 2, 23, tzinfo=UTC)
TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)
OLD = TODAY - timedelta(days=45)
NIGHT, HOUR = timedelta(days=1), timedelta(hours=1)
OVERDUE = "the recording is processing at Recall, unchanged for more than 24 h"
TABLES: tuple[Table[Any], ...] = (BOTS, RECORDINGS, MIXED_AUDIO, CATALOG)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(storage_url=str(tmp_path / "data"))


def catalog(archive: Archive, day: date, outcomes: Sequence[str] = (), **columns: Any) -> None:
    """Store a synced day: listed at its end, or at `listed_at`; other values are columns of its rows."""
    facts = {"listed_at": columns.pop("listed_at", end_of(day)).isoformat()}
    rows = [
        CatalogRow(recording_id=an_id(outcome), outcome=outcome, created_at=start_of(day), **columns)
        for outcome in outcomes
    ]
    BOTS.write(archive, day, [])
    MIXED_AUDIO.write(archive, day, [])
    RECORDINGS.write(archive, day, [], facts)
    CATALOG.write(archive, day, rows, facts)


def listed(archive: Archive, day: date, listed_at: datetime, first_listed_at: datetime | None = None) -> None:
    """Store a settled day with all that a sync states about its listing."""
    catalog(archive, day, ("ready",), listed_at=listed_at)
    facts = {"listed_at": listed_at, "first_listed_at": first_listed_at or listed_at}
    RECORDINGS.write(archive, day, [], {name: moment.isoformat() for name, moment in facts.items()})


def overwrite(archive: Archive, key: str, content: bytes) -> None:
    with archive.staged_file() as written:
        written.write_bytes(content)
        archive.publish(written, key)


def lose(archive: Archive, *days: date) -> None:
    for day in days:
        for table in TABLES:
            archive.remove(table.key(day))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 45 days, each of which is settled."""
    folder = tmp_path_factory.mktemp("template")
    for day in days_between(OLD, YESTERDAY):
        catalog(open_archive(Settings(storage_url=str(folder))), day, sorted(SETTLED))
    return folder


@pytest.fixture
def settled(template: Path, archive: Archive) -> Archive:
    """An archive of 45 days in which every day is settled."""
    shutil.copytree(template, archive.location.root)
    return archive


def requested(archive: Archive, settings: Settings, now: datetime = NOW) -> list[date]:
    """The days that are due besides yesterday."""
    days = days_due(archive, settings, now).requested
    assert days[-1] == now.date() - NIGHT
    return days[:-1]


class TestLookback:
    def test_at_first_the_whole_lookback_is_due(self, archive: Archive, settings: Settings) -> None:
        due = days_due(archive, settings, NOW)
        assert due.requested == list(days_between(ago(7), YESTERDAY))
        assert (due.first_day, due.never_requested, due.late) == (None, None, [])

    def test_yesterday_is_due_even_when_all_days_are_settled(self, settled: Archive, settings: Settings) -> None:
        assert days_due(settled, settings, NOW).requested == [YESTERDAY]

    @pytest.mark.parametrize("outcome", [str(outcome) for outcome in Outcome if outcome not in SETTLED])
    def test_a_day_with_an_open_row_is_due(self, settled: Archive, settings: Settings, outcome: str) -> None:
        catalog(settled, ago(3), ("ready", outcome))
        assert requested(settled, settings) == [ago(3)]

    def test_a_day_without_recordings_is_settled(self, settled: Archive, settings: Settings) -> None:
        catalog(settled, ago(3))
        assert requested(settled, settings) == []

    @pytest.mark.parametrize(("start", "due"), [(YESTERDAY, [YESTERDAY]), (TODAY, [])])
    def test_no_day_before_the_first_partition_is_due(
        self, settled: Archive, settings: Settings, start: date, due: list[date]
    ) -> None:
        lose(settled, ago(3), ago(20))
        assert days_due(settled, settings.model_copy(update={"start_date": start}), NOW).requested == due

    def test_no_day_that_retention_erases_is_due(self, settled: Archive, settings: Settings) -> None:
        catalog(settled, ago(4), ("download_failed",))
        lose(settled, ago(3), ago(5), ago(20))
        assert requested(settled, settings.model_copy(update={"retention_days": 4})) == [ago(4), ago(3)]


class TestPending:
    @pytest.mark.parametrize(
        ("outcome", "columns"),
        [("processing", {}), ("download_failed", {}), ("failed_upstream", {"outcome_reason": OVERDUE})],
    )
    def test_a_day_with_pending_rows_is_due_nightly_for_thirty_days_and_weekly_after(
        self, settled: Archive, settings: Settings, outcome: str, columns: dict[str, Any]
    ) -> None:
        for days in (30, 31, 40):
            catalog(settled, ago(days), ("ready", outcome), listed_at=NOW - timedelta(days=3), **columns)
        in_nights = [days_due(settled, settings, NOW + night * NIGHT).requested for night in (0, 1, 3, 4)]
        pending = [[day for day in due if day <= ago(30)] for due in in_nights]
        assert pending == [[ago(30)], [], [], [ago(40), ago(31), ago(30)]]

    @pytest.mark.parametrize(
        "outcome", ["failed_upstream", "expired", "deleted", "not_requested", "unsupported_platform", "unknown"]
    )
    def test_other_open_rows_are_looked_at_in_the_lookback_only(
        self, settled: Archive, settings: Settings, outcome: str
    ) -> None:
        catalog(settled, ago(8), (outcome,))
        assert requested(settled, settings) == []
        assert requested(settled, settings.model_copy(update={"lookback_days": 8})) == [ago(8)]

    def test_the_week_counts_nights_so_that_a_tick_a_minute_earlier_is_not_a_day_later(
        self, settled: Archive, settings: Settings
    ) -> None:
        catalog(settled, ago(40), ("processing",), listed_at=NOW - timedelta(days=7) + timedelta(hours=20))
        assert requested(settled, settings) == [ago(40)]

    @pytest.mark.parametrize(("hours", "is_due"), [(-1, False), (1, True), (71, True), (73, False)])
    def test_in_the_last_three_days_before_the_media_expire_it_is_nightly_again(
        self, settled: Archive, settings: Settings, hours: int, is_due: bool
    ) -> None:
        expires_at = NOW + timedelta(hours=hours)
        catalog(settled, ago(40), ("processing",), listed_at=NOW - NIGHT, expires_at=expires_at)
        assert requested(settled, settings) == ([ago(40)] if is_due else [])

    def test_media_that_are_archived_do_not_make_a_day_due(self, settled: Archive, settings: Settings) -> None:
        catalog(settled, ago(40), ("ready",), expires_at=NOW + timedelta(hours=1))
        assert requested(settled, settings) == []

    def test_a_listing_from_the_future_does_not_keep_a_day_waiting(self, settled: Archive, settings: Settings) -> None:
        catalog(settled, ago(40), ("processing",), listed_at=NOW + 365 * NIGHT)
        assert requested(settled, settings) == [ago(40)]


class TestOutage:
    """Days that were whole when they left the lookback, and that nothing compared with Recall until then."""

    @pytest.fixture
    def stopped(self, archive: Archive) -> Archive:
        """An archive of 45 days whose syncs stopped from the 20th day ago on, for twelve days."""
        for day in days_between(OLD, YESTERDAY):
            listed_at = max(end_of(day) + HOUR, end_of(ago(8)) if ago(20) <= day < ago(8) else end_of(day))
            listed(archive, day, listed_at)
        return archive

    def test_days_that_left_the_lookback_in_an_outage_are_due_until_they_are_listed_again(
        self, stopped: Archive, settings: Settings
    ) -> None:
        unseen = list(days_between(ago(26), ago(21)))  # the last sync before was an hour after the end of the 21st
        assert requested(stopped, settings) == unseen[1:]
        for day in unseen:
            listed(stopped, day, NOW, first_listed_at=end_of(day) + HOUR)
        assert requested(stopped, settings) == []

    def test_they_wait_for_the_days_that_were_never_synced_and_are_not_late(
        self, stopped: Archive, settings: Settings
    ) -> None:
        lose(stopped, *days_between(ago(20), ago(12)))
        due = days_due(stopped, settings, NOW)
        assert due.requested == [*days_between(ago(20), ago(14)), YESTERDAY]
        assert {ago(25), ago(21), ago(13), ago(12)} <= set(due.waiting)
        assert set(due.late) == set(days_between(ago(20), ago(12)))

    def test_one_night_that_failed_is_not_an_outage(self, archive: Archive, settings: Settings) -> None:
        for day in days_between(OLD, YESTERDAY):
            listed(archive, day, end_of(day) + HOUR + (NIGHT if day == ago(20) else timedelta(0)))
        assert requested(archive, settings) == []

    def test_days_that_are_listed_again_later_still_show_that_syncs_ran(
        self, archive: Archive, settings: Settings
    ) -> None:
        for day in days_between(OLD, YESTERDAY):
            again = NOW if day > ago(20) else end_of(day) + HOUR
            listed(archive, day, again, first_listed_at=end_of(day) + HOUR)
        assert requested(archive, settings) == []


class TestIncomplete:
    def test_missed_days_are_caught_up_after_any_outage_seven_a_night_oldest_first(
        self, settled: Archive, settings: Settings
    ) -> None:
        lose(settled, *days_between(ago(30), YESTERDAY))
        due = days_due(settled, settings, NOW)
        assert due.requested == [*days_between(ago(30), ago(24)), *days_between(ago(7), YESTERDAY)]
        assert due.waiting == list(days_between(ago(23), ago(8)))
        for night in range(1, 4):
            for day in due.requested:
                catalog(settled, day, listed_at=due.now)
            due = days_due(settled, settings, NOW + night * NIGHT)
        assert (due.requested, due.waiting) == ([*days_between(ago(9), ago(8)), TODAY + 2 * NIGHT], [])

    def test_a_day_listed_before_its_end_is_due(self, settled: Archive, settings: Settings) -> None:
        for day in (ago(3), ago(20)):
            catalog(settled, day, ("ready",), listed_at=end_of(day) - timedelta(seconds=1))
        assert requested(settled, settings) == [ago(20), ago(3)]

    @pytest.mark.parametrize("facts", [{}, {"listed_at": "yesterday"}, {"listed_at": "2026-03-10T00:00:00"}])
    def test_a_day_that_does_not_state_when_it_was_listed_is_due(
        self, settled: Archive, settings: Settings, facts: dict[str, str]
    ) -> None:
        for day in (ago(3), ago(20)):
            RECORDINGS.write(settled, day, [], facts)
            CATALOG.write(settled, day, [], facts)
        assert requested(settled, settings) == [ago(20), ago(3)]

    def test_a_day_whose_last_sync_ended_before_its_catalog_is_due(self, settled: Archive, settings: Settings) -> None:
        for day in (ago(3), ago(20)):
            RECORDINGS.write(settled, day, [], {"listed_at": (end_of(day) + NIGHT).isoformat()})
        assert requested(settled, settings) == [ago(20), ago(3)]

    @pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
    def test_a_day_that_lost_a_table_is_due(self, settled: Archive, settings: Settings, table: Table[Any]) -> None:
        for day in (ago(3), ago(20)):
            settled.remove(table.key(day))
        assert requested(settled, settings) == [ago(20), ago(3)]

    def test_media_that_expire_soon_do_not_wait_for_older_days(self, settled: Archive, settings: Settings) -> None:
        lose(settled, *days_between(ago(30), ago(10)))
        soon, later = (NOW + timedelta(days=days) for days in (2, 5))
        for day, expires_at in ((ago(12), later), (ago(10), soon)):
            row = RecordingRow(recording_id=an_id("a"), created_at=start_of(day), expires_at=expires_at)
            RECORDINGS.write(settled, day, [row], {"listed_at": end_of(day).isoformat()})
        due = days_due(settled, settings, NOW)
        assert due.requested == [*days_between(ago(30), ago(24)), ago(10), YESTERDAY]
        assert due.states[ago(10)].expiries == (soon,)

    def test_days_before_the_archive_are_not_due_and_are_named(self, archive: Archive, settings: Settings) -> None:
        catalog(archive, ago(20))
        due = days_due(archive, settings, NOW)
        assert due.requested[0] == ago(19)
        assert due.never_requested == (settings.start_date, ago(21))
        later = settings.model_copy(update={"start_date": ago(20)})
        assert days_due(archive, later, NOW).never_requested is None


def garbage(archive: Archive, key: str) -> None:
    overwrite(archive, key, b"garbage")


def empty(archive: Archive, key: str) -> None:
    overwrite(archive, key, b"")


def truncated(archive: Archive, key: str) -> None:
    overwrite(archive, key, (archive.read(key) or b"")[:-9])


def of_an_older_schema(archive: Archive, key: str) -> None:
    pq.write_table(pa.table({"anything": ["x"]}), archive.local_path(key))


def a_folder(archive: Archive, key: str) -> None:
    archive.local_path(key).unlink()
    archive.local_path(key).mkdir()


class TestUnreadable:
    @pytest.mark.parametrize("table", [*TABLES, AUDIT], ids=lambda table: table.name)
    @pytest.mark.parametrize("damage", [garbage, empty, truncated, of_an_older_schema, a_folder])
    def test_a_day_with_an_unreadable_table_is_due_and_the_others_go_on(
        self, settled: Archive, settings: Settings, table: Table[Any], damage: Any
    ) -> None:
        AUDIT.write(settled, ago(20), [])
        damage(settled, table.key(ago(20)))
        lose(settled, ago(15))
        due = days_due(settled, settings, NOW)
        assert due.requested == [ago(20), ago(15), YESTERDAY]
        assert list(due.faults) == [ago(20)]
        assert table.key(ago(20)) in due.faults[ago(20)]

    @pytest.mark.parametrize(
        "columns",
        [
            {"outcome": [1], "recording_id": ["x"], "created_at": [NOW]},
            {"outcome": [None], "recording_id": ["x"], "created_at": [NOW]},
            {"outcome": ["ready"], "recording_id": ["x"], "created_at": [NOW], "expires_at": ["soon"]},
            {"recording_id": ["x"], "created_at": [NOW]},
        ],
    )
    def test_a_catalog_of_another_type_or_without_a_required_value_is_unreadable(
        self, settled: Archive, settings: Settings, columns: dict[str, list[Any]]
    ) -> None:
        pq.write_table(pa.table(columns), settled.local_path(CATALOG.key(ago(20))))
        due = days_due(settled, settings, NOW)
        assert [day.reason for day in due.days] == [DueReason.UNREADABLE, DueReason.YESTERDAY]

    @pytest.mark.parametrize(
        ("table", "name", "values"),
        [
            (BOTS, "status", pa.array([1])),
            (BOTS, "bot_id", pa.array([b"\x00"])),
            (RECORDINGS, "created_at", pa.array(["2026-03-01"])),
            (MIXED_AUDIO, "source_bytes", pa.array(["1"])),
            (CATALOG, "findings", pa.array(["a"])),
            (AUDIT, "recording_id", pa.array([1])),
            (CATALOG, "audio_bytes", pa.array(["1"])),
        ],
        ids=str,
    )
    def test_a_column_of_another_type_that_the_rule_does_not_read_makes_its_day_due(
        self, settled: Archive, settings: Settings, table: Table[Any], name: str, values: Any
    ) -> None:
        day = ago(20)
        fields = [pa.field(f.name, values.type) if f.name == name else f for f in table.schema()]
        schema = pa.schema(fields).with_metadata(table.schema().metadata)
        table.publish(settled, table.key(day), schema.empty_table())
        due = days_due(settled, settings, NOW)
        assert f"column {name} is {values.type}, not " in due.faults[day]
        assert day in due.requested

    def test_a_catalog_that_lacks_only_optional_columns_is_read(self, settled: Archive, settings: Settings) -> None:
        key, facts = CATALOG.key(ago(20)), {"recall_pipeline.fact.listed_at": end_of(ago(20)).isoformat()}
        table = pa.table({"outcome": ["download_failed"], "recording_id": ["x"], "created_at": [NOW]})
        pq.write_table(table.replace_schema_metadata(facts), settled.local_path(key))
        due = days_due(settled, settings, NOW)
        assert (due.requested, due.faults) == ([ago(20), YESTERDAY], {})

    def test_unreadable_days_do_not_take_the_place_of_incomplete_ones(
        self, settled: Archive, settings: Settings
    ) -> None:
        damaged, lost = list(days_between(ago(40), ago(31))), list(days_between(ago(30), ago(24)))
        for day in damaged:
            garbage(settled, CATALOG.key(day))
        lose(settled, *lost)
        assert requested(settled, settings) == [*damaged, *lost]

    def test_a_storage_that_does_not_answer_is_an_error_and_not_a_fault_of_every_day(
        self, settled: Archive, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unreachable(*_: object) -> None:
            raise StorageError("cannot read: time-out")

        monkeypatch.setattr("recall_pipeline.storage.Archive.open_file", unreachable)
        with pytest.raises(StorageError, match="time-out"):
            days_due(settled, settings, NOW)


class TestLate:
    """Days that are due and were not synced."""

    def late(self, archive: Archive, settings: Settings, now: datetime) -> list[date]:
        due: DueDays = days_due(archive, settings, now)
        return due.late

    def test_a_day_is_late_half_a_day_after_it_became_due(self, settled: Archive, settings: Settings) -> None:
        assert self.late(settled, settings, start_of(TODAY + NIGHT) + timedelta(hours=12)) == []
        assert self.late(settled, settings, start_of(TODAY + NIGHT) + timedelta(hours=13)) == [TODAY]

    @pytest.mark.parametrize("hours", [3, 13, 23])
    def test_yesterday_is_not_late_once_it_was_synced_after_its_end(
        self, archive: Archive, settings: Settings, hours: int
    ) -> None:
        for days in range(1, 10):
            catalog(archive, ago(days), ["ready"])
        assert self.late(archive, settings, start_of(TODAY) + timedelta(hours=hours)) == []

    def test_days_that_wait_their_turn_are_late_too(self, settled: Archive, settings: Settings) -> None:
        lose(settled, *days_between(ago(30), ago(10)))
        assert self.late(settled, settings, NOW) == list(days_between(ago(30), ago(10)))

    @pytest.mark.parametrize(("days", "listed_days_ago", "is_late"), [(20, 1, False), (20, 2, True), (40, 8, True)])
    def test_a_pending_day_is_late_when_its_night_has_passed(
        self, settled: Archive, settings: Settings, days: int, listed_days_ago: int, is_late: bool
    ) -> None:
        catalog(settled, ago(days), ("processing",), listed_at=NOW - timedelta(days=listed_days_ago))
        assert self.late(settled, settings, NOW) == ([ago(days)] if is_late else [])

    def test_no_day_of_a_new_archive_is_late(self, archive: Archive, settings: Settings) -> None:
        catalog(archive, ago(5), listed_at=NOW - timedelta(hours=1))
        assert self.late(archive, settings, NOW) == []
        assert self.late(archive, settings, NOW + timedelta(hours=36)) == list(days_between(ago(4), TODAY))
