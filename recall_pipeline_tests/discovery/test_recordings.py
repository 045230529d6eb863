"""Every recording of a day has a row, and keeps it (docs/design/adr/0004-completeness-by-recordings.md)."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from recall_pipeline.days import ONE_DAY, end_of, utc_now
from recall_pipeline.discovery import RecordingRow
from recall_pipeline.errors import RecallUnreachable
from recall_pipeline.recall_api import Recording
from recall_pipeline.recall_api.records import read_record
from recall_pipeline_tests.discovery.meetings import Workplace
from recall_pipeline_tests.workspace import DAY, NINE, an_id, talk
from recall_sandbox import Rule
from recall_sandbox.effects import EditJson, Reply, Reset, unavailable
from recall_sandbox.records import Artifact

ONE_HOUR = timedelta(hours=1)


def by_id(rows: list[RecordingRow]) -> dict[str, RecordingRow]:
    return {row.recording_id: row for row in rows}


def row_of(work: Workplace, name: str) -> RecordingRow:
    return by_id(work.recordings())[an_id(name)]


class TestRows:
    def test_a_listed_recording_has_a_row_with_what_is_known_of_its_bot(self, work: Workplace) -> None:
        work.meet("standup", expires_at=NINE + 7 * ONE_DAY, metadata={"team": "sales"})
        row = row_of(work, "standup")
        assert (row.created_at, row.status_code, row.expires_at) == (NINE, "done", NINE + 7 * ONE_DAY)
        assert (row.bot_id, row.bot_name, row.platform) == (an_id("standup bot"), "Archive Bot", "zoom")
        assert (row.meeting_id, row.mp3_requested, row.is_gone) == ("812", True, False)
        assert json.loads(row.metadata or "") == {"team": "sales"}

    def test_only_recordings_of_the_day_have_one(self, work: Workplace) -> None:
        work.meet("today")
        work.meet("before midnight", end_of(DAY) - timedelta(seconds=1))
        work.meet("midnight", end_of(DAY))
        assert by_id(work.recordings()).keys() == {an_id("today"), an_id("before midnight")}

    def test_several_recordings_of_one_bot_have_one_each(self, work: Workplace) -> None:
        recording = work.meet("standup")
        work.world.add(replace(recording, id=an_id("second take"), created_at=NINE + timedelta(minutes=5)))
        rows = work.recordings()
        assert [row.recording_id for row in rows] == [an_id("standup"), an_id("second take")]
        assert {row.bot_id for row in rows} == {an_id("standup bot")}

    def test_a_recording_without_a_bot_has_one(self, work: Workplace) -> None:
        work.meet("desktop", bot_id=None)
        row = row_of(work, "desktop")
        assert (row.bot_id, row.platform, row.mp3_requested) == (None, None, None)

    def test_unknown_fields_and_codes_are_carried(self, work: Workplace) -> None:
        work.meet("standup", status="archiving", unknown_fields={"generation": 3})
        row = row_of(work, "standup")
        assert row.status_code == "archiving"
        assert json.loads(row.other_fields or "")["generation"] == 3

    @pytest.mark.parametrize("nothing", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", 0, -1, "2026-02-27T09:00:00Z"])
    @pytest.mark.parametrize("name", ["started_at", "completed_at", "expires_at"])
    def test_a_time_long_before_the_start_states_nothing(self, name: str, nothing: object) -> None:
        shown = {"id": an_id("standup"), "created_at": NINE.isoformat(), "completed_at": (NINE + ONE_HOUR).isoformat()}
        recording = read_record(Recording, shown | {name: nothing})
        assert recording is not None
        row = RecordingRow.of(recording, None)
        assert getattr(row, name) is None
        assert row.recorded_seconds == (None if name == "completed_at" else 3600)

    @pytest.mark.parametrize("end", [NINE - timedelta(seconds=5), datetime.max.replace(tzinfo=UTC), None])
    def test_times_that_no_meeting_can_have_give_no_length(self, end: datetime | None) -> None:
        assert RecordingRow(an_id("standup"), NINE, completed_at=end).recorded_seconds is None

    def test_no_row_holds_a_password(self, work: Workplace) -> None:
        work.meet("standup")
        assert "pass-of-nobody" not in str(work.recordings()) + str(work.bots())

    def test_a_recording_whose_bot_joined_the_day_before_knows_it(self, work: Workplace) -> None:
        work.meet("over midnight", end_of(DAY) + timedelta(minutes=1), joins_at=end_of(DAY) - timedelta(minutes=2))
        (row,) = work.recordings(DAY + ONE_DAY)
        assert row.bot_name == "Archive Bot"
        assert work.gaps() == []


class TestGaps:
    def test_a_bot_that_no_window_shows_is_asked_for_once(self, work: Workplace) -> None:
        work.meet("standup", joins_at=None)
        assert row_of(work, "standup").bot_name == "Archive Bot"
        assert work.gaps() == [f"/api/v1/bot/{an_id('standup bot')}/"]

    def test_a_bot_that_is_gone_leaves_its_recording_a_row(self, work: Workplace) -> None:
        work.meet("standup", joins_at=None)
        work.sandbox.faults.add(Rule(Reply(404, {"detail": "Not found."}), path="/bot/[0-9a-f-]{36}/"))
        row = row_of(work, "standup")
        assert (row.bot_id, row.bot_name) == (an_id("standup bot"), None)

    def test_a_recording_that_only_its_bot_shows_is_asked_for(self, work: Workplace) -> None:
        work.meet("embedded", listed=False)
        assert row_of(work, "embedded").status_code == "done"
        assert work.gaps() == [f"/api/v1/recording/{an_id('embedded')}/"]

    def test_a_deleted_recording_that_only_its_bot_shows_has_a_row_without_a_call(self, work: Workplace) -> None:
        work.meet("embedded", listed=False, status="deleted")
        row = row_of(work, "embedded")
        assert (row.status_code, row.bot_name) == ("deleted", "Archive Bot")
        assert work.gaps() == []

    def test_a_recording_that_only_its_bot_shows_is_marked_deleted(self, work: Workplace) -> None:
        work.meet("embedded", listed=False, gone=True)
        row = row_of(work, "embedded")
        assert (row.status_code, row.is_gone) == ("deleted", True)

    def test_a_recording_listed_without_its_bot_takes_it_from_the_list_of_bots(self, work: Workplace) -> None:
        def without_bot(page: dict[str, list[dict[str, object]]]) -> object:
            return {**page, "results": [{**row, "bot": None} for row in page["results"]]}

        work.meet("standup")
        work.sandbox.faults.add(Rule(EditJson(without_bot), path="/recording/$"))
        row = row_of(work, "standup")
        assert (row.bot_id, row.platform) == (an_id("standup bot"), "zoom")

    @pytest.mark.parametrize(
        "answer", [Reply(403, {"detail": "no"}), Reply(400, {}), EditJson(lambda _: {"id": 7}), unavailable(500)]
    )
    def test_an_unreadable_recording_keeps_its_values_and_stops_no_other(
        self, answer: Reply | EditJson, work: Workplace
    ) -> None:
        work.meet("embedded", listed=False)
        work.meet("other", NINE + timedelta(minutes=1), listed=False)
        work.sandbox.faults.add(Rule(answer, path=f"/recording/{an_id('embedded')}/"))
        rows = by_id(work.recordings())
        assert rows[an_id("embedded")].status_code == "done"
        assert rows[an_id("other")].status_code == "done"
        assert not rows[an_id("embedded")].is_gone

    def test_an_unreachable_service_is_not_taken_as_an_answer(self, work: Workplace) -> None:
        work.meet("embedded", listed=False)
        work.sandbox.faults.add(Rule(Reset(), path="/recording/[0-9a-f-]{36}/"))
        with pytest.raises(RecallUnreachable):
            work.recordings()


class TestMemory:
    def test_a_recording_that_leaves_the_listing_keeps_its_row(self, work: Workplace) -> None:
        work.meet("standup")
        work.recordings()
        work.world.change_recording(an_id("standup"), listed=False, embedded=False)
        row = row_of(work, "standup")
        assert (row.status_code, row.bot_name, row.is_gone) == ("done", "Archive Bot", False)

    @pytest.mark.parametrize("reads_as", ["deleted", "gone"])
    def test_a_deleted_one_keeps_its_row_marked_as_deleted(self, reads_as: str, work: Workplace) -> None:
        work.meet("standup", expires_at=NINE + ONE_DAY)
        work.recordings()
        work.world.delete_recording(an_id("standup"), "gone" if reads_as == "gone" else "deleted")
        row = row_of(work, "standup")
        assert (row.status_code, row.is_gone) == ("deleted", reads_as == "gone")
        assert (row.expires_at, row.bot_name, row.started_at) == (NINE + ONE_DAY, "Archive Bot", NINE)

    def test_a_deleted_one_is_looked_up_once(self, work: Workplace) -> None:
        work.meet("standup")
        work.recordings()
        work.world.delete_recording(an_id("standup"), "gone")
        work.recordings()
        work.sandbox.access_log.clear()
        assert row_of(work, "standup").is_gone
        assert work.gaps() == []

    def test_one_that_is_listed_again_is_not_marked_as_deleted(self, work: Workplace) -> None:
        work.meet("standup", listed=False, gone=True)
        work.recordings()
        work.world.change_recording(an_id("standup"), listed=True, gone=False)
        assert (row_of(work, "standup").status_code, row_of(work, "standup").is_gone) == ("done", False)

    def test_a_later_lookup_of_its_mp3_clears_the_error_of_an_earlier_one(self, work: Workplace) -> None:
        work.meet("standup")
        rule = work.sandbox.faults.add(Rule(unavailable(503), path="/audio_mixed/$", skip=1))  # after the listing
        assert "HTTP 503" in str(row_of(work, "standup").mp3_lookup_error)
        work.sandbox.faults.remove(rule)
        work.world.change_recording(an_id("standup"), listed=False, embedded=False)
        work.sandbox.faults.add(Rule(unavailable(503), path=f"/recording/{an_id('standup')}/$"))
        row = row_of(work, "standup")
        assert (row.has_mp3, row.mp3_lookup_error) == (False, None)

    def test_an_emptied_listing_loses_nothing(self, work: Workplace) -> None:
        work.meet("standup")
        work.meet("review", NINE + timedelta(minutes=1))
        before = work.recordings()
        work.world.empty_listings()
        assert work.recordings() == before

    def test_values_that_recall_no_longer_returns_are_kept(self, work: Workplace) -> None:
        def forgetful(page: dict[str, list[dict[str, object]]]) -> object:
            silent: dict[str, object] = dict.fromkeys(("started_at", "completed_at", "expires_at", "bot"))
            silent["recordings"] = []
            rows = [row | {name: silent[name] for name in row if name in silent} for row in page["results"]]
            return {**page, "results": rows}

        work.meet("standup", expires_at=NINE + ONE_DAY, endings=("done", "media_expired"))
        before = row_of(work, "standup")
        work.sandbox.faults.add(Rule(EditJson(forgetful), path="/(recording|bot)/$"))
        assert row_of(work, "standup") == before
        assert before.bot_media_expired

    def test_a_failed_listing_is_no_empty_one(self, work: Workplace) -> None:
        work.meet("standup")
        before = work.recordings()
        rule = work.sandbox.faults.add(Rule(unavailable(), path="/recording/$"))
        with pytest.raises(RecallUnreachable):
            work.recordings()
        work.sandbox.faults.remove(rule)
        assert work.recordings() == before

    @pytest.mark.parametrize("shape", ["four_fields", "nulls"])
    def test_what_a_copy_in_a_bot_leaves_out_replaces_nothing(self, shape: str, work: Workplace) -> None:
        work.meet("standup", expires_at=NINE + ONE_DAY, metadata={"team": "sales"})
        before = row_of(work, "standup")
        work.sandbox.behaviour.embedded = shape  # type: ignore[assignment]
        work.world.change_recording(an_id("standup"), listed=False)
        work.sandbox.faults.add(Rule(unavailable(503), path=f"/recording/{an_id('standup')}/$"))
        assert row_of(work, "standup") == before

    def test_a_deleted_recording_that_its_bot_still_shows_is_looked_up_once(self, work: Workplace) -> None:
        work.sandbox.behaviour.embedded = "four_fields"
        work.meet("standup")
        work.recordings()
        work.world.change_recording(an_id("standup"), listed=False, gone=True)
        work.recordings()
        work.sandbox.access_log.clear()
        assert row_of(work, "standup").is_gone
        assert work.gaps() == []

    def test_a_meeting_url_that_recall_clears_before_a_recording_is_listed_is_known_from_the_bot(
        self, work: Workplace
    ) -> None:
        recording = work.meet("standup")
        work.both()
        work.sandbox.behaviour.clears_meeting_urls = True
        work.world.add(replace(recording, id=an_id("second take"), created_at=NINE + timedelta(minutes=5)))
        row = row_of(work, "second take")
        assert (row.platform, row.meeting_id) == ("zoom", "812")


class TestMP3Lookups:
    """Where nothing shows whether an MP3 was requested, Recall is asked once."""

    @pytest.fixture(autouse=True)
    def unknown_request(self, work: Workplace) -> None:
        work.meet("desktop", bot_id=None)

    def lookups(self, work: Workplace) -> int:
        """The lookups of MP3s in one more sync."""
        work.sandbox.access_log.clear()
        work.recordings()
        return len([a for a in work.sandbox.access_log.only(path="/audio_mixed/$") if "recording_id" in a.query])

    def test_an_empty_answer_is_remembered(self, work: Workplace) -> None:
        assert [self.lookups(work) for _ in range(3)] == [1, 0, 0]

    def test_a_recording_that_changes_is_asked_about_again(self, work: Workplace) -> None:
        self.lookups(work)
        work.world.change_recording(an_id("desktop"), updated_at=NINE + 2 * ONE_DAY)
        assert [self.lookups(work) for _ in range(2)] == [1, 0]

    def test_a_recording_that_leaves_the_list_is_not_looked_up_again(self, work: Workplace) -> None:
        self.lookups(work)
        work.world.change_recording(an_id("desktop"), listed=False)
        assert self.lookups(work) == 0

    def test_a_recording_that_was_done_just_now_is_not_looked_up_yet(self, work: Workplace) -> None:
        for minutes, asked in ((59, 0), (61, 1)):
            done_at = utc_now() - timedelta(minutes=minutes)
            work.world.change_recording(an_id("desktop"), completed_at=done_at, updated_at=done_at)
            assert self.lookups(work) == asked

    def test_a_failed_lookup_is_repeated(self, work: Workplace) -> None:
        rule = work.sandbox.faults.add(Rule(unavailable(503), path="/audio_mixed/$", skip=1))
        assert self.lookups(work) > 0
        work.sandbox.faults.remove(rule)
        assert [self.lookups(work) for _ in range(2)] == [1, 0]

    def test_the_list_shows_a_later_mp3(self, work: Workplace) -> None:
        self.lookups(work)
        work.world.add(Artifact(an_id("late"), an_id("desktop"), NINE, utc_now(), talk()))
        assert self.lookups(work) == 0
        assert row_of(work, "desktop").has_mp3

    @pytest.mark.parametrize("requested", [None, False])
    def test_the_sync_of_a_later_day_notes_an_mp3_that_is_created_then(
        self, requested: bool | None, work: Workplace
    ) -> None:
        if requested is False:
            work.meet("desktop")
            work.world.change_bot(an_id("desktop bot"), recording_config={})
        self.lookups(work)
        later = NINE + 3 * ONE_DAY
        work.world.add(Artifact(an_id("late"), an_id("desktop"), later, later, talk()))
        assert self.lookups(work) == 0
        work.recordings(later.date())
        assert self.lookups(work) == 1
        assert row_of(work, "desktop").has_mp3
        assert self.lookups(work) == 0

    def test_a_note_about_an_mp3_that_is_gone_is_followed_once(self, work: Workplace) -> None:
        self.lookups(work)
        later = NINE + ONE_DAY
        work.world.add(Artifact(an_id("late"), an_id("desktop"), later, later, talk()))
        work.recordings(later.date())
        work.world.change_artifact(an_id("late"), gone=True, listed=False)
        assert [self.lookups(work) for _ in range(2)] == [1, 0]

    def test_a_recording_with_a_requested_mp3_is_looked_up_at_every_sync(self, work: Workplace) -> None:
        work.meet("standup")
        assert [self.lookups(work) for _ in range(2)] == [2, 1]
