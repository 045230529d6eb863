"""What the API says, read tolerantly (docs/design/recall-api.md, sections 4 to 6, 10)."""

import copy
import json
from dataclasses import FrozenInstanceError
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from recall_pipeline.recall_api import AudioMixed, Bot, Recording
from recall_pipeline.recall_api.meeting_urls import Meeting
from recall_pipeline.recall_api.records import read_record

AUDIO: dict[str, Any] = {
    "id": "e9d0a1b2-3344-4c55-9d66-778899aabbcc",
    "created_at": "2026-03-02T09:00:21.0Z",
    "status": {"code": "done", "sub_code": None, "updated_at": "2026-03-02T09:31:02.0Z"},
    "metadata": {},
    "data": {"download_url": "https://storage.invalid/a.mp3?Expires=1772466000&Signature=hidden"},
    "format": "mp3",
}
RECORDING: dict[str, Any] = {
    "id": "c1a5c4be-0d4a-4b55-8f6e-1a2b3c4d5e6f",
    "created_at": "2026-03-02T09:00:21.0Z",
    "started_at": "2026-03-02T09:00:21.0Z",
    "completed_at": "2026-03-02T09:31:02.0Z",
    "expires_at": "2026-03-09T09:31:02.0Z",
    "status": {"code": "done", "sub_code": None, "updated_at": "2026-03-02T09:31:02.0Z"},
    "media_shortcuts": {"video_mixed": None, "audio_mixed": AUDIO},
    "metadata": {"team": "sales"},
}
BOT: dict[str, Any] = {
    "id": "7b0c6c1e-2f0a-4a43-9c55-0d2f6a1b9e01",
    "meeting_url": {"meeting_id": "81234567890", "meeting_password": None, "platform": "zoom"},
    "bot_name": "Archive Bot",
    "join_at": "2026-03-02T09:00:00Z",
    "metadata": {"team": "sales"},
    "recording_config": {"audio_mixed_mp3": {"metadata": {}}},
    "status_changes": [
        {"code": "ready", "message": None, "created_at": "2026-03-01T10:00:00.1Z", "sub_code": None},
        {"code": "joining_call", "message": None, "created_at": "2026-03-02T09:00:02.000001Z", "sub_code": None},
        {"code": "done", "message": None, "created_at": "2026-03-02T09:31:03.0Z", "sub_code": None},
    ],
    "recordings": [RECORDING],
    "calendar_meetings": [],
    "slack_team": None,
}
NINE = datetime(2026, 3, 2, 9, 0, 21, tzinfo=UTC)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def read_bot(**changes: Any) -> Bot:
    bot = read_record(Bot, BOT | changes)
    assert bot is not None
    return bot


def read_recording(**changes: Any) -> Recording:
    recording = read_record(Recording, RECORDING | changes)
    assert recording is not None
    return recording


def read_audio(**changes: Any) -> AudioMixed:
    audio = read_record(AudioMixed, AUDIO | changes)
    assert audio is not None
    return audio


class TestExample:
    def test_the_documented_bot_is_parsed_completely(self) -> None:
        bot = read_bot()
        (recording,) = bot.recordings
        assert (bot.meeting, bot.bot_name, bot.status) == (Meeting("zoom", "81234567890"), "Archive Bot", "done")
        assert (recording.created_at, recording.status.code) == (NINE, "done")
        assert recording.media_shortcuts.audio_mixed is not None

    def test_a_download_url_is_never_printed(self) -> None:
        assert "hidden" not in f"{read_audio()!r} {read_bot()!r}"

    def test_a_record_cannot_be_changed(self) -> None:
        with pytest.raises(FrozenInstanceError):
            read_bot().bot_name = "another"  # type: ignore[misc]


class TestIdentity:
    @pytest.mark.parametrize(
        "wrong", [None, 7, "", "../../etc/passwd", "7b0c6c1e", {"id": 1}, ["7b0c"], "a" * 32 + "/"]
    )
    def test_a_row_whose_id_is_not_a_uuid_is_rejected(self, wrong: Any) -> None:
        assert read_record(Bot, BOT | {"id": wrong}) is None
        assert read_record(Recording, RECORDING | {"id": wrong}) is None
        assert read_record(AudioMixed, AUDIO | {"id": wrong}) is None

    @pytest.mark.parametrize(
        "spelled",
        [
            "7B0C6C1E-2F0A-4A43-9C55-0D2F6A1B9E01",
            "7b0c6c1e2f0a4a439c550d2f6a1b9e01",
            "{7b0c6c1e-2f0a-4a43-9c55-0d2f6a1b9e01}",
        ],
    )
    def test_every_spelling_of_a_uuid_is_the_same_id(self, spelled: str) -> None:
        assert read_bot(id=spelled).id == BOT["id"]

    @pytest.mark.parametrize("row", [None, [], "7b0c6c1e", 7, True])
    def test_a_row_that_is_not_an_object_is_rejected(self, row: Any) -> None:
        assert read_record(Bot, row) is None

    def test_a_reference_without_a_usable_id_is_none(self) -> None:
        assert read_recording(bot={"id": "../.."}).bot is None
        assert read_audio(recording={"id": 7}).recording is None

    @pytest.mark.parametrize("wrong", [None, "soon", "", [], {}])
    def test_a_recording_without_created_at_is_rejected(self, wrong: Any) -> None:
        assert read_record(Recording, RECORDING | {"created_at": wrong}) is None


class TestTolerance:
    @pytest.mark.parametrize("field", sorted(BOT.keys() - {"id"}))
    @pytest.mark.parametrize("wrong", [None, 7, "words", [1], {"a": 1}, True])
    def test_a_bots_field_of_any_type_affects_only_that_field(self, field: str, wrong: Any) -> None:
        assert read_bot(**{field: wrong}).id == BOT["id"]

    @pytest.mark.parametrize("field", sorted(RECORDING.keys() - {"id", "created_at"}))
    @pytest.mark.parametrize("wrong", [None, 7, "words", [1], {"a": 1}, True])
    def test_a_recordings_field_of_any_type_affects_only_that_field(self, field: str, wrong: Any) -> None:
        assert read_recording(**{field: wrong}).created_at == NINE

    @pytest.mark.parametrize("field", sorted(AUDIO.keys() - {"id"}))
    @pytest.mark.parametrize("wrong", [None, 7, "words", [1], {"a": 1}, True])
    def test_an_artifacts_field_of_any_type_affects_only_that_field(self, field: str, wrong: Any) -> None:
        assert read_audio(**{field: wrong}).id == AUDIO["id"]

    @pytest.mark.parametrize("field", sorted(BOT.keys() - {"id"}))
    def test_a_missing_field_of_a_bot_reads_as_unknown(self, field: str) -> None:
        without = {name: value for name, value in BOT.items() if name != field}
        assert read_record(Bot, without) is not None

    @examples(deadline=None, max_examples=60)
    @given(changes=st.dictionaries(st.sampled_from(sorted(BOT.keys() - {"id"})) | st.text(max_size=8), ANY_JSON))
    def test_no_bot_with_an_id_is_ever_lost(self, changes: dict[str, Any]) -> None:
        bot = read_record(Bot, BOT | changes | {"id": BOT["id"]})
        assert bot is not None
        assert bot.day is None or isinstance(bot.day, date)
        assert json.loads(bot.other_fields or "{}") is not None

    @examples(deadline=None, max_examples=60)
    @given(changes=st.dictionaries(st.sampled_from(sorted(RECORDING)) | st.text(max_size=8), ANY_JSON))
    def test_no_recording_with_id_and_start_is_ever_lost(self, changes: dict[str, Any]) -> None:
        demanded = {name: RECORDING[name] for name in ("id", "created_at")}
        recording = read_record(Recording, RECORDING | changes | demanded)
        assert recording is not None
        assert recording.day == date(2026, 3, 2)

    def test_a_field_that_is_nested_too_deeply_rejects_only_its_row(self) -> None:
        assert read_record(Bot, BOT | {"unknown": json.loads("[" * 700 + "]" * 700)}) is None

    def test_one_invalid_item_of_a_list_is_dropped_alone(self) -> None:
        bot = read_bot(recordings=[RECORDING, {"id": "nothing"}, None], status_changes=[*BOT["status_changes"], 7, {}])
        assert len(bot.recordings) == 1
        assert len(bot.status_changes) == 3

    def test_unknown_codes_are_kept(self) -> None:
        changes = [*BOT["status_changes"], {"code": "insights_ready", "created_at": None}]
        assert read_bot(status_changes=changes).status == "insights_ready"
        assert read_recording(status={"code": "archiving"}).status.code == "archiving"

    def test_an_unknown_code_after_the_end_leaves_a_bot_finished(self) -> None:
        changes = [*BOT["status_changes"], {"code": "insights_ready", "created_at": None}]
        assert read_bot(status_changes=changes).is_finished

    def test_unknown_fields_are_carried_without_secrets(self) -> None:
        bot = read_bot(generation=3, insights={"score": 0.7, "token": "hidden", "at": "https://a.invalid/b?hidden"})
        carried = json.loads(bot.other_fields or "")
        assert carried["generation"] == 3
        assert carried["insights"]["score"] == 0.7
        assert "hidden" not in str(carried)

    def test_metadata_loses_meeting_passwords_and_nothing_else(self) -> None:
        metadata = {"link": "https://x.zoom.us/j/812?pwd=hidden", "password": "hidden", "tokens": "9"}
        assert "hidden" not in str(read_bot(metadata=metadata).metadata)
        assert (read_bot(metadata=metadata).metadata or {})["tokens"] == "9"
        assert "hidden" not in str(read_recording(metadata=metadata).metadata)
        assert "hidden" not in str(read_audio(metadata=metadata).metadata)

    def test_a_bot_named_after_its_link_loses_the_password(self) -> None:
        assert (
            read_bot(bot_name="Notes https://x.zoom.us/j/812?pwd=hidden").bot_name
            == "Notes https://x.zoom.us/j/812?pwd=…"
        )


class TestTimes:
    @pytest.mark.parametrize(
        "text",
        [
            "2026-03-02T09:00:21Z",
            "2026-03-02T09:00:21.000000Z",
            "2026-03-02T10:00:21+01:00",
            "2026-03-02 09:00:21",
            "2026-03-02T09:00:21",
            1772442021,
            "1772442021",
        ],
    )
    def test_every_spelling_of_a_timestamp_is_the_same_time_in_utc(self, text: Any) -> None:
        recording = read_recording(created_at=text)
        assert recording.created_at == NINE
        assert recording.created_at.tzinfo is UTC

    @pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
    def test_a_timestamp_outside_the_calendar_reads_as_unknown(self, text: str) -> None:
        assert read_recording(expires_at=text).expires_at is None

    @pytest.mark.parametrize("start", [0, 7, -5, "7", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", 20_514])
    def test_a_start_before_this_century_is_none_so_its_row_is_rejected_and_named(self, start: Any) -> None:
        assert read_record(Recording, RECORDING | {"created_at": start}) is None

    def test_a_recording_belongs_to_the_utc_day_of_its_start(self) -> None:
        assert read_recording(created_at="2026-03-02T23:30:00-02:00").day == date(2026, 3, 3)


class TestBotsDay:
    """By join_at, else joining_call, first status change, first recording (docs/design/interface.md, section 2)."""

    later = copy.deepcopy(RECORDING) | {"created_at": "2026-03-05T00:00:00Z"}

    def test_it_is_the_day_of_join_at(self) -> None:
        assert read_bot(join_at="2026-03-04T00:00:00Z").day == date(2026, 3, 4)

    def test_without_one_it_is_that_of_the_first_joining_call(self) -> None:
        again = {"code": "joining_call", "created_at": "2026-03-03T09:00:00Z"}
        assert read_bot(join_at=None, status_changes=[again, *BOT["status_changes"]]).day == date(2026, 3, 2)

    def test_without_a_joining_call_it_is_that_of_the_first_status_change(self) -> None:
        changes = [change for change in BOT["status_changes"] if change["code"] != "joining_call"]
        assert read_bot(join_at=None, status_changes=changes[::-1]).day == date(2026, 3, 1)

    def test_without_any_status_change_it_is_that_of_the_first_recording(self) -> None:
        assert read_bot(join_at=None, status_changes=[], recordings=[self.later, RECORDING]).day == date(2026, 3, 2)

    def test_a_bot_without_any_time_has_no_day(self) -> None:
        assert read_bot(join_at=None, status_changes=[], recordings=[]).day is None


class TestMeaning:
    @pytest.mark.parametrize("code", ["done", "fatal", "analysis_done", "analysis_failed", "media_expired"])
    def test_a_bot_is_finished_by_each_ending(self, code: str) -> None:
        assert read_bot(status_changes=[{"code": code}]).is_finished

    @pytest.mark.parametrize("code", ["ready", "in_call_recording", "call_ended", "recording_done"])
    def test_a_bot_is_not_finished_before_one(self, code: str) -> None:
        assert not read_bot(status_changes=[{"code": code}]).is_finished

    def test_expired_media_of_a_bot_is_reported(self) -> None:
        assert read_bot(status_changes=[{"code": "media_expired"}, {"code": "later"}]).media_expired
        assert not read_bot().media_expired

    @pytest.mark.parametrize(
        ("config", "requested"),
        [
            ({"audio_mixed_mp3": {}}, True),
            ({"audio_mixed": {}}, False),
            ({"audio_mixed_mp3": None}, False),
            ({}, False),
            (None, None),
            ("default", None),
        ],
    )
    def test_whether_an_mp3_was_requested_is_known_only_from_a_configuration(
        self, config: Any, requested: bool | None
    ) -> None:
        assert read_bot(recording_config=config).mp3_requested is requested

    @pytest.mark.parametrize(
        ("stated", "is_mp3"), [("mp3", True), ("MP3", True), (None, True), ("", True), ("raw", False), ("ogg", False)]
    )
    def test_only_another_stated_format_is_not_an_mp3(self, stated: str | None, is_mp3: bool) -> None:
        assert read_audio(format=stated).is_mp3 is is_mp3

    @pytest.mark.parametrize(
        "data", [None, {}, {"download_url": None}, {"download_url": ""}, {"download_url": []}, "url"]
    )
    def test_without_a_download_url_it_is_none(self, data: Any) -> None:
        assert read_audio(data=data).download_url is None


class TestAnswersOf2026:
    FLAT = "https://storage.invalid/flat.mp3?Signature=hidden"

    @pytest.mark.parametrize(
        "data", [{}, {"data": None}, {"data": {}}, {"data": {"download_url": None}}, {"data": {"download_url": ""}}]
    )
    def test_a_download_url_beside_data_is_found(self, data: dict[str, Any]) -> None:
        without = {name: value for name, value in AUDIO.items() if name != "data"}
        audio = read_record(AudioMixed, {**without, **data, "download_url": self.FLAT})
        assert audio is not None
        assert audio.download_url is not None
        assert audio.download_url.get_secret_value() == self.FLAT
        assert "hidden" not in f"{audio!r} {audio.other_fields}"

    @pytest.mark.parametrize("flat", [None, "", 7, {}])
    def test_a_useless_url_beside_data_does_not_hide_the_nested_one(self, flat: Any) -> None:
        url = read_audio(download_url=flat).download_url
        assert url is not None
        assert url.get_secret_value() == AUDIO["data"]["download_url"]

    @pytest.mark.parametrize("name", ["meeting_participants", "participants", "attendees", "active_speakers"])
    def test_people_in_unknown_fields_are_left_out(self, name: str) -> None:
        people = [{"id": 1, "name": "Nobody Inparticular"}]
        other_fields = read_bot(**{name: people, "generation": {"n": 3, name: people}}).other_fields
        assert "Nobody" not in str(other_fields)
        assert '"n": 3' in str(other_fields)

    @pytest.mark.parametrize(
        "unknown",
        [
            {"meeting_metadata": {"title": "Review with Nobody"}},
            {"recap": "Nobody promised to call back"},
            {"calendar_meetings": [{"organizer_email": "nobody@example.invalid", "id": AUDIO["id"]}]},
            {"zoom": {"user_name": "nobody", "settings": [{"greeting": "I am Nobody"}]}},
            {"talk_time": {"Nobody": 30, "nobody@example.invalid": 31}},
            {"insights": {"lead": "Nobody", "link": "https://nobody:secret@example.invalid/nobody?t=1"}},
            {"recording": {"metadata": {"rep": "nobody"}}},
            {"roomId": "+49 30 1234 nobody"},
        ],
    )
    def test_no_text_of_a_person_in_an_unknown_field_is_carried(self, unknown: dict[str, Any]) -> None:
        other_fields = read_bot(**unknown, generation={"n": 3}).other_fields
        assert "nobody" not in str(other_fields).lower()
        assert '"n": 3' in str(other_fields)

    def test_machine_values_in_unknown_fields_are_carried(self) -> None:
        values = {"id": AUDIO["id"], "at": "2026-03-02T09:00:21.5Z", "mode": "audio_only", "n": [1, 2.5, True, None]}
        assert json.loads(read_bot(insights=values, recap="What was said").other_fields or "") == {
            "insights": values,
            "recap": "…",
            "slack_team": None,
        }
