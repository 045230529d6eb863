"""A day's transcripts are those of what is ready: each made once, kept however the run ends, gone when forgotten."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

import pytest

from recall_pipeline.audio import Segment, segments
from recall_pipeline.audit import FORGOTTEN, AuditRow, erased_on, record_audit
from recall_pipeline.catalog import CATALOG, CatalogRow, read_recordings
from recall_pipeline.days import utc_now
from recall_pipeline.errors import TableMissing, UsageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive
from recall_pipeline_tests.storages import FOLDER_AND_BUCKET
from recall_pipeline_tests.transcripts.meetings import RATE_HZ, SILENCE, TestEngine, said, word_of
from recall_pipeline_tests.workspace import DAY, an_id
from recall_transcripts.day_transcription import Transcribed, transcribe_recordings
from recall_transcripts.due_days import days_to_transcribe
from recall_transcripts.erasure import TRANSCRIPTS_AUDIT, note_begun
from recall_transcripts.rows import TRANSCRIPTS, TranscriptRow
from recall_transcripts.transcriber import RecognizedSpeech


@pytest.fixture(params=FOLDER_AND_BUCKET)
def storage_url(request: pytest.FixtureRequest) -> str:
    """A folder, and an S3 bucket."""
    return str(request.getfixturevalue(request.param))


class Team:
    """Catalogs rows of a day, and transcribes it."""

    def __init__(self, archive: Archive, settings: Settings) -> None:
        self.archive, self.settings = archive, settings
        self.engine = TestEngine()

    def catalog(self, *rows: CatalogRow) -> None:
        """Publish the day's catalog."""
        CATALOG.write(self.archive, DAY, rows)

    def run(self) -> Transcribed:
        """Transcribe the day, as the asset does."""
        recordings = read_recordings(first=DAY, last=DAY, outcomes=None, settings=self.settings)
        return transcribe_recordings(self.archive, DAY, recordings, lambda: self.engine)


@pytest.fixture
def team(archive: Archive, settings: Settings) -> Team:
    """A team with an engine of its own."""
    return Team(archive, settings)


def stored(team: Team) -> dict[str, TranscriptRow]:
    return {row.recording_id: row for row in TRANSCRIPTS.read(team.archive, DAY) or []}


def ids(rows: Sequence[TranscriptRow]) -> list[str]:
    return [row.recording_id for row in rows]


def test_what_is_ready_is_transcribed_and_nothing_else(team: Team) -> None:
    one, other = said(team.archive, "one", "question"), said(team.archive, "other", "answer")
    silent = replace(said(team.archive, "silent"), outcome="silent")
    missing = CatalogRow(recording_id=an_id("missing"), outcome="not_requested", created_at=one.created_at)
    team.catalog(one, silent, missing, other)
    done = team.run()
    assert ids(done.rows) == ids(done.anew) == [an_id("one"), an_id("other")]
    assert done.rows == list(stored(team).values())


def test_a_row_tells_what_was_said_when_and_from_which_bytes_and_model(team: Team) -> None:
    team.catalog(meeting := said(team.archive, "long", *("greeting", "numbers", "question", "answer", "risk") * 2))
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


def test_silence_gives_nothing(team: Team) -> None:
    team.catalog(said(team.archive, "quiet"))
    (row,) = team.run().rows
    assert (row.text, row.segments, row.word_count, row.language) == ("", [], 0, None)
    assert row.audio_seconds == len(SILENCE) / RATE_HZ


def test_a_second_run_transcribes_nothing_and_changes_nothing(team: Team) -> None:
    team.catalog(said(team.archive, "one", "question"), said(team.archive, "quiet"))
    first = team.run()
    second = team.run()
    assert (second.rows, second.anew) == (first.rows, [])
    assert team.engine.calls == 2


def test_one_changed_recording_transcribes_one(team: Team) -> None:
    one, other = said(team.archive, "one", "question"), said(team.archive, "other", "answer")
    team.catalog(one, other)
    before = {row.recording_id: row for row in team.run().rows}
    team.catalog(one, said(team.archive, "other", "risk", version="newbytes"))
    done = team.run()
    assert ids(done.anew) == [an_id("other")]
    assert stored(team)[an_id("one")] == before[an_id("one")]
    assert stored(team)[an_id("other")].text != before[an_id("other")].text


def test_another_model_transcribes_again(team: Team) -> None:
    team.catalog(said(team.archive, "one", "question"))
    team.run()
    team.engine = TestEngine("2")
    done = team.run()
    assert [row.model for row in done.anew] == ["test engine 2"]
    assert len(stored(team)) == 1


def test_the_same_bytes_under_two_names_are_transcribed_once(team: Team) -> None:
    team.catalog(said(team.archive, "one", "question"), said(team.archive, "two", "question"))
    done = team.run()
    assert team.engine.calls == 1
    one, two = stored(team).values()
    assert one == replace(two, recording_id=one.recording_id, audio_id=one.audio_id)
    assert ids(done.rows) == [an_id("one"), an_id("two")]


@pytest.mark.parametrize("forget", ["the row says so", "the row is gone"])
def test_a_forgotten_recording_loses_its_transcript(team: Team, forget: str) -> None:
    one, other = said(team.archive, "one", "question"), said(team.archive, "other", "answer")
    team.catalog(one, other)
    team.run()
    gone = replace(one, outcome="forgotten", audio_uri=None, audio_sha256=None)
    team.catalog(*([gone] if forget == "the row says so" else []), other)
    assert days_to_transcribe(team.archive) == [DAY]
    team.run()
    assert list(stored(team)) == [an_id("other")]
    assert days_to_transcribe(team.archive) == []


def test_a_lost_catalog_takes_no_transcript_away(team: Team) -> None:
    team.catalog(said(team.archive, "one", "question"))
    before = team.run().rows
    team.archive.remove(CATALOG.key(DAY))
    with pytest.raises(TableMissing, match=f"is not there: run recall-pipeline sync --from {DAY} --to {DAY}"):
        team.run()
    assert list(stored(team).values()) == before
    assert TRANSCRIPTS_AUDIT.read(team.archive, DAY) is None


def test_what_went_is_written_down_with_the_reason_of_the_forgetting(team: Team) -> None:
    one, other = said(team.archive, "one", "question"), said(team.archive, "other", "answer")
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


def test_a_run_that_is_killed_while_a_transcript_goes_is_ended_by_the_next(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = said(team.archive, "one", "question")
    team.catalog(one)
    team.run()
    team.catalog(replace(one, outcome="forgotten"))
    with monkeypatch.context() as patch:
        patch.setattr("recall_transcripts.table.note_finished", killed)
        with pytest.raises(KeyboardInterrupt):
            team.run()
    (row,) = TRANSCRIPTS_AUDIT.read(team.archive, DAY) or []
    assert row.finished_at is None
    team.run()
    (row,) = TRANSCRIPTS_AUDIT.read(team.archive, DAY) or []
    assert row.finished_at is not None
    assert stored(team) == {}


def test_a_transcript_that_stays_after_all_is_not_said_to_be_gone(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    one = said(team.archive, "one", "question")
    team.catalog(one)
    team.run()
    team.catalog()
    with monkeypatch.context() as patch:
        patch.setattr("recall_transcripts.table.note_begun", note_and_be_killed)
        with pytest.raises(KeyboardInterrupt):
            team.run()
    team.catalog(one)
    team.run()
    (row,) = TRANSCRIPTS_AUDIT.read(team.archive, DAY) or []
    assert row.finished_at is None
    assert list(stored(team)) == [an_id("one")]


def note_and_be_killed(archive: Archive, day: date, rows: Iterable[TranscriptRow]) -> None:
    note_begun(archive, day, rows)
    raise KeyboardInterrupt


def killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_the_forgotten_go_even_where_no_engine_works(team: Team) -> None:
    one, other = said(team.archive, "one", "question"), said(team.archive, "other", "answer")
    team.catalog(one)
    team.run()
    team.catalog(replace(one, outcome="forgotten"), other)

    def no_engine() -> TestEngine:
        raise UsageError("install one")

    with pytest.raises(UsageError):
        transcribe_recordings(team.archive, DAY, read_recordings(outcomes=None, settings=team.settings), no_engine)
    assert stored(team) == {}


def test_what_is_lost_upstream_or_fails_for_the_moment_keeps_its_transcript(team: Team) -> None:
    one = said(team.archive, "one", "question")
    team.catalog(one)
    first = team.run()
    team.catalog(replace(one, outcome="download_failed", audio_uri=None, audio_sha256=None))
    assert team.run().rows == first.rows


def test_one_that_cannot_be_heard_leaves_the_others_alone_and_is_tried_again(team: Team) -> None:
    first, bad, last = (said(team.archive, clip, clip) for clip in ("question", "answer", "risk"))
    team.catalog(first, bad, last)
    team.engine = TestEngine(deaf_to=frozenset({_word(team, "answer")}))
    done = team.run()
    assert done.failures == {an_id("answer"): "the test engine is deaf to this"}
    assert ids(done.rows) == [an_id("question"), an_id("risk")]
    assert days_to_transcribe(team.archive) == [DAY]
    team.engine = TestEngine()
    assert ids(team.run().anew) == [an_id("answer")]


def test_what_is_done_is_kept_when_a_run_is_killed(team: Team) -> None:
    team.catalog(*(said(team.archive, clip, clip) for clip in ("question", "answer")))

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
    assert ids(team.run().anew) == [an_id("answer")]


def test_an_engine_is_opened_only_when_something_is_ready(team: Team) -> None:
    team.catalog(
        CatalogRow(recording_id=an_id("none"), outcome="expired", created_at=said(team.archive, "x").created_at)
    )

    def no_engine() -> TestEngine:
        raise AssertionError

    done = transcribe_recordings(team.archive, DAY, read_recordings(outcomes=None, settings=team.settings), no_engine)
    assert done.rows == []
    assert TRANSCRIPTS.read(team.archive, DAY) == []


def test_days_with_something_to_do_are_due_and_no_others(team: Team) -> None:
    assert days_to_transcribe(team.archive) == []
    day_after = date(2026, 3, 3)
    CATALOG.write(team.archive, day_after, [replace(said(team.archive, "quiet"), outcome="silent")])
    team.catalog(one := said(team.archive, "one", "question"))
    assert days_to_transcribe(team.archive) == [DAY]
    team.run()
    assert days_to_transcribe(team.archive) == []
    team.catalog(replace(one, audio_sha256="f" * 64))
    assert days_to_transcribe(team.archive) == [DAY]


def _word(team: Team, clip: str) -> str:
    """What the test engine hears in a recording of one clip."""
    (row,) = (r for r in read_recordings(settings=team.settings) if r.row.recording_id == an_id(clip))
    with row.local_path() as path:
        (window,) = segments(path)
    return word_of(window.pcm)
