"""A day's transcripts: one per ready recording, made once, kept after interruptions, erased with the recording."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from recall_pipeline.audio import Segment, segments
from recall_pipeline.audit import FORGOTTEN, AuditRow, erased_on, record_audit
from recall_pipeline.catalog import CATALOG, CatalogRow, read_recordings
from recall_pipeline.days import utc_now
from recall_pipeline.errors import TableMissing, UsageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive
from recall_pipeline_tests.storages import FOLDER_AND_BUCKET
from recall_pipeline_tests.transcripts.meetings import RATE_HZ, SILENCE, TestEngine, publish_recording, word_of
from recall_pipeline_tests.workspace import DAY, an_id
from recall_transcripts.day_transcription import Transcribed, transcribe_recordings
from recall_transcripts.due_days import days_to_transcribe
from recall_transcripts.erasure import TRANSCRIPTS_AUDIT, record_erasures_begun
from recall_transcripts.rows import TRANSCRIPTS, TranscriptRow
from recall_transcripts.transcriber import RecognizedSpeech


@pytest.fixture(params=FOLDER_AND_BUCKET)
def storage_url(request: pytest.FixtureRequest) -> str:
    """A folder, and an S3 bucket."""
    return str(request.getfixturevalue(request.param))


class Team:
    """Writes the catalog of a day and transcribes the day."""

    def __init__(self, archive: Archive, settings: Settings) -> None:
        self.archive, self.settings = archive, settings
        self.engine = TestEngine()

    def catalog(self, *rows: CatalogRow) -> None:
        """Write the day's catalog."""
        CATALOG.write(self.archive, DAY, rows)

    def run(self) -> Transcribed:
        """Transcribe the day, as the asset does."""
        recordings = read_recordings(first=DAY, last=DAY, outcomes=None, settings=self.settings)
        return transcribe_recordings(self.archive, DAY, recordings, lambda: self.engine)


@pytest.fixture
def team(archive: Archive, settings: Settings) -> Team:
    """A team with a test engine."""
    return Team(archive, settings)


def stored(team: Team) -> dict[str, TranscriptRow]:
    return {row.recording_id: row for row in TRANSCRIPTS.read(team.archive, DAY) or []}


def ids(rows: Sequence[TranscriptRow]) -> list[str]:
    return [row.recording_id for row in rows]


def test_only_ready_recordings_are_transcribed(team: Team) -> None:
    one, other = publish_recording(team.archive, "one", "question"), publish_recording(team.archive, "other", "answer")
    silent = replace(publish_recording(team.archive, "silent"), outcome="silent")
    missing = CatalogRow(recording_id=an_id("missing"), outcome="not_requested", created_at=one.created_at)
    team.catalog(one, silent, missing, other)
    done = team.run()
    assert ids(done.rows) == ids(done.new_rows) == [an_id("one"), an_id("other")]
    assert done.rows == list(stored(team).values())


def test_a_row_has_text_times_audio_hash_and_model(team: Team) -> None:
    team.catalog(
        meeting := publish_recording(team.archive, "long", *("greeting", "numbers", "question", "answer", "risk") * 2)
    )
    (row,) = team.run().rows
    (recording,) = read_recordings(settings=team.settings)
    with recording.local_path() as path:
        windows = list(segments(path))
    assert len(windows) > 1
    assert row.segments == [
        {"start_seconds": window.start_seconds, "end_seconds": window.end_seconds, "text": word_of(window.pcm)}
        for window in windows
    ]
    assert row.text.split("\n") == [word_of(window.pcm) for window in windows]
    assert (row.audio_sha256, row.audio_id) == (meeting.audio_sha256, meeting.audio_id)
    assert (row.model, row.model_sha256) == (team.engine.model.name, team.engine.model.sha256)
    assert row.audio_seconds == (meeting.audio_samples or 0) / RATE_HZ
    assert (row.word_count, row.language) == (len(windows), "tt")


def test_a_silent_recording_has_an_empty_transcript(team: Team) -> None:
    team.catalog(publish_recording(team.archive, "quiet"))
    (row,) = team.run().rows
    assert (row.text, row.segments, row.word_count, row.language) == ("", [], 0, None)
    assert row.audio_seconds == len(SILENCE) / RATE_HZ


def test_a_second_run_changes_nothing(team: Team) -> None:
    team.catalog(publish_recording(team.archive, "one", "question"), publish_recording(team.archive, "quiet"))
    first = team.run()
    second = team.run()
    assert (second.rows, second.new_rows) == (first.rows, [])
    assert team.engine.calls == 2


def test_only_a_changed_recording_is_transcribed_again(team: Team) -> None:
    one, other = publish_recording(team.archive, "one", "question"), publish_recording(team.archive, "other", "answer")
    team.catalog(one, other)
    before = {row.recording_id: row for row in team.run().rows}
    team.catalog(one, publish_recording(team.archive, "other", "risk", version="newbytes"))
    done = team.run()
    assert ids(done.new_rows) == [an_id("other")]
    assert stored(team)[an_id("one")] == before[an_id("one")]
    assert stored(team)[an_id("other")].text != before[an_id("other")].text


def test_a_new_model_transcribes_again(team: Team) -> None:
    team.catalog(publish_recording(team.archive, "one", "question"))
    team.run()
    team.engine = TestEngine("2")
    done = team.run()
    assert [row.model for row in done.new_rows] == ["test engine 2"]
    assert len(stored(team)) == 1


def test_recordings_with_the_same_audio_are_transcribed_once(team: Team) -> None:
    team.catalog(publish_recording(team.archive, "one", "question"), publish_recording(team.archive, "two", "question"))
    done = team.run()
    assert team.engine.calls == 1
    one, two = stored(team).values()
    assert one == replace(two, recording_id=one.recording_id, audio_id=one.audio_id)
    assert ids(done.rows) == [an_id("one"), an_id("two")]


@pytest.mark.parametrize("forget", ["outcome forgotten", "no row"])
def test_the_transcript_of_an_erased_recording_is_erased(team: Team, forget: str) -> None:
    one, other = publish_recording(team.archive, "one", "question"), publish_recording(team.archive, "other", "answer")
    team.catalog(one, other)
    team.run()
    erased = replace(one, outcome="forgotten", audio_uri=None, audio_sha256=None)
    team.catalog(*([erased] if forget == "outcome forgotten" else []), other)
    assert days_to_transcribe(team.archive, DAY, DAY) == [DAY]
    team.run()
    assert list(stored(team)) == [an_id("other")]
    assert days_to_transcribe(team.archive, DAY, DAY) == []


def test_a_lost_catalog_keeps_its_transcripts(team: Team) -> None:
    team.catalog(publish_recording(team.archive, "one", "question"))
    before = team.run().rows
    team.archive.remove(CATALOG.key(DAY))
    with pytest.raises(TableMissing, match=f"is not there: run recall-pipeline sync --from {DAY} --to {DAY}"):
        team.run()
    assert list(stored(team).values()) == before
    assert TRANSCRIPTS_AUDIT.read(team.archive, DAY) is None


def test_an_erased_transcript_is_audited_with_the_reason_of_the_erasure(team: Team) -> None:
    one, other = publish_recording(team.archive, "one", "question"), publish_recording(team.archive, "other", "answer")
    team.catalog(one, other)
    text = team.run().rows[0].text
    began = utc_now()
    record_audit(team.archive, DAY, [AuditRow(FORGOTTEN, one.recording_id, None, None, "request 17", began, began)])
    team.catalog(replace(one, outcome="forgotten"), other)
    team.run()
    (row,) = TRANSCRIPTS_AUDIT.read(team.archive, DAY) or []
    assert (row.action, row.recording_id, row.audio_id) == (FORGOTTEN, one.recording_id, one.key)
    assert row.reason == "request 17"
    assert (row.files, row.bytes) == (1, len(text.encode()))
    assert text not in row.removed
    assert row.finished_at is not None
    assert erased_on(team.archive, DAY).recordings == {one.recording_id}
    team.run()
    assert TRANSCRIPTS_AUDIT.read(team.archive, DAY) == [row]


def test_the_next_run_completes_the_audit_of_a_killed_erasure(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    one = publish_recording(team.archive, "one", "question")
    team.catalog(one)
    team.run()
    team.catalog(replace(one, outcome="forgotten"))
    with monkeypatch.context() as patch:
        patch.setattr("recall_transcripts.table.record_erasures_finished", killed)
        with pytest.raises(KeyboardInterrupt):
            team.run()
    (row,) = TRANSCRIPTS_AUDIT.read(team.archive, DAY) or []
    assert row.finished_at is None
    team.run()
    (row,) = TRANSCRIPTS_AUDIT.read(team.archive, DAY) or []
    assert row.finished_at is not None
    assert stored(team) == {}


def test_a_transcript_that_is_kept_after_all_is_not_audited_as_finished(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = publish_recording(team.archive, "one", "question")
    team.catalog(one)
    team.run()
    team.catalog()
    with monkeypatch.context() as patch:
        patch.setattr("recall_transcripts.table.record_erasures_begun", record_and_be_killed)
        with pytest.raises(KeyboardInterrupt):
            team.run()
    team.catalog(one)
    team.run()
    (row,) = TRANSCRIPTS_AUDIT.read(team.archive, DAY) or []
    assert row.finished_at is None
    assert list(stored(team)) == [an_id("one")]


def record_and_be_killed(archive: Archive, day: date, rows: Iterable[TranscriptRow]) -> None:
    record_erasures_begun(archive, day, rows)
    raise KeyboardInterrupt


def killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_transcripts_are_erased_even_if_no_engine_can_be_opened(team: Team) -> None:
    one, other = publish_recording(team.archive, "one", "question"), publish_recording(team.archive, "other", "answer")
    team.catalog(one)
    team.run()
    team.catalog(replace(one, outcome="forgotten"), other)

    def no_engine() -> TestEngine:
        raise UsageError("install one")

    with pytest.raises(UsageError):
        transcribe_recordings(team.archive, DAY, read_recordings(outcomes=None, settings=team.settings), no_engine)
    assert stored(team) == {}


def test_a_recording_whose_download_fails_keeps_its_transcript(team: Team) -> None:
    one = publish_recording(team.archive, "one", "question")
    team.catalog(one)
    first = team.run()
    team.catalog(replace(one, outcome="download_failed", audio_uri=None, audio_sha256=None))
    assert team.run().rows == first.rows


def test_a_recording_that_fails_does_not_stop_the_others_and_is_retried(team: Team) -> None:
    first, bad, last = (publish_recording(team.archive, clip, clip) for clip in ("question", "answer", "risk"))
    team.catalog(first, bad, last)
    team.engine = TestEngine(fails_on=frozenset({_word(team, "answer")}))
    done = team.run()
    assert done.failures == {an_id("answer"): "the test engine fails on this"}
    assert ids(done.rows) == [an_id("question"), an_id("risk")]
    assert days_to_transcribe(team.archive, DAY, DAY) == [DAY]
    team.engine = TestEngine()
    assert ids(team.run().new_rows) == [an_id("answer")]


def test_finished_transcripts_are_kept_when_a_run_is_killed(team: Team) -> None:
    team.catalog(*(publish_recording(team.archive, clip, clip) for clip in ("question", "answer")))

    class Killed(TestEngine):
        def transcribe(self, windows: Iterable[Segment]) -> RecognizedSpeech:
            if self.calls:
                raise KeyboardInterrupt
            return super().transcribe(windows)

    team.engine = Killed()
    with pytest.raises(KeyboardInterrupt):
        team.run()
    assert list(stored(team)) == [an_id("question")]
    team.engine = TestEngine()
    assert ids(team.run().new_rows) == [an_id("answer")]


@pytest.mark.parametrize(("seconds", "tables"), [(30, 2), (0, 4)])
def test_a_day_is_written_once_at_its_end_and_twice_a_minute_before(
    team: Team, monkeypatch: pytest.MonkeyPatch, seconds: int, tables: int
) -> None:
    team.catalog(*(publish_recording(team.archive, clip, clip) for clip in ("question", "answer", "risk")))
    written: list[int] = []
    publish = Archive.publish

    def counted(archive: Archive, local: Path, key: str) -> None:
        written.append(1)
        publish(archive, local, key)

    monkeypatch.setattr("recall_transcripts.table.CHECKPOINT_SECONDS", seconds)
    monkeypatch.setattr(Archive, "publish", counted)
    team.run()
    assert (len(written), len(stored(team))) == (tables, 3)  # one of them is the empty table of a new day


def test_an_engine_is_opened_only_if_a_recording_is_ready(team: Team) -> None:
    team.catalog(
        CatalogRow(
            recording_id=an_id("none"), outcome="expired", created_at=publish_recording(team.archive, "x").created_at
        )
    )

    def no_engine() -> TestEngine:
        raise AssertionError

    done = transcribe_recordings(team.archive, DAY, read_recordings(outcomes=None, settings=team.settings), no_engine)
    assert done.rows == []
    assert TRANSCRIPTS.read(team.archive, DAY) == []


def test_only_days_that_differ_from_the_catalog_are_due(team: Team) -> None:
    assert days_to_transcribe(team.archive, DAY, DAY) == []
    day_after = date(2026, 3, 3)
    CATALOG.write(team.archive, day_after, [replace(publish_recording(team.archive, "quiet"), outcome="silent")])
    team.catalog(one := publish_recording(team.archive, "one", "question"))
    assert days_to_transcribe(team.archive, DAY, DAY) == [DAY]
    team.run()
    assert days_to_transcribe(team.archive, DAY, DAY) == []
    team.catalog(replace(one, audio_sha256="f" * 64))
    assert days_to_transcribe(team.archive, DAY, DAY) == [DAY]


def _word(team: Team, clip: str) -> str:
    """Return the word that the test engine recognizes in a recording of one clip."""
    (row,) = (r for r in read_recordings(settings=team.settings) if r.row.recording_id == an_id(clip))
    with row.local_path() as path:
        (window,) = segments(path)
    return word_of(window.pcm)
