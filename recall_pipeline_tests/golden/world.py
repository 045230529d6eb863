# ruff: noqa: E501
"""The meetings of the archive `2026-11`: the same ids, times and bytes at every call.

`as_first_synced` is what the first sync saw, `move_on` is what changed before the second one. All times are fixed and
in the past. Only `still-mixing` depends on the present time: it is overdue from `OVERDUE_FROM` on.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time

from recall_sandbox import Rule, World
from recall_sandbox.content import ErrorPage, Truncated
from recall_sandbox.effects import unavailable
from recall_sandbox.meetings import ArtifactSpec, RecordingSpec, SampleMeeting, rows_of
from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording
from recall_sandbox.speech import Speech, clip_transcripts

TODAY = date(2026, 11, 30)
FIRST, LAST = date(2026, 11, 28), date(2026, 11, 29)
REVISED_AT = datetime(2026, 11, 29, 18, tzinfo=UTC)
OVERDUE_FROM = datetime(2026, 11, 30, 23, 30, 51, tzinfo=UTC)
_TITLES = (
    "plain", "first version", "second version", "let go", "kept", "cut off", "before midnight", "after midnight",
    "議事録", "desktop", "unavailable",
)  # fmt: skip


def _speech(title: str, *, gain_db: float = 0.0) -> Speech:
    """One second of speech; each title has a clip of its own, as far as there are clips."""
    clips = sorted(clip_transcripts())
    clip = clips[_TITLES.index(title) % len(clips)]
    return Speech(1, bitrate_kbps=24, gain_db=gain_db, clips=(clip,), title=title)


def _spoken(title: str, starts_after_seconds: float = 0.0) -> RecordingSpec:
    return RecordingSpec(1, (ArtifactSpec(_speech(title)),), starts_after_seconds=starts_after_seconds)


MEETINGS = (
    SampleMeeting("plain", "an MP3, metadata", 2, time(9), ("ready",), (_spoken("plain"),), metadata={"team": "sales"}),
    SampleMeeting("revised", "its MP3 was replaced", 2, time(10), ("ready",), (_spoken("first version"),)),
    SampleMeeting("let-go", "forgotten on request", 2, time(11), ("forgotten",), (_spoken("let go"),), bot_name="Private Bot"),
    SampleMeeting("kept", "deleted at Recall after it was archived", 2, time(12), ("ready",), (_spoken("kept"),)),
    SampleMeeting("nobody-spoke", "silence", 2, time(13), ("silent",), (RecordingSpec(1, (ArtifactSpec(Speech(1, clips=())),)),)),
    SampleMeeting("cut-off", "an MP3 without its end", 2, time(14), ("corrupt",),
            (RecordingSpec(1, (ArtifactSpec(Truncated(_speech("cut off"))),)),)),
    SampleMeeting("error-page", "a page, not audio", 2, time(15), ("corrupt",), (RecordingSpec(1, (ArtifactSpec(ErrorPage()),)),)),
    SampleMeeting("overdue", "an MP3 that was never finished", 2, time(16), ("failed_upstream",),
            (RecordingSpec(60, (ArtifactSpec(None, status="processing"),)),)),
    SampleMeeting("over-midnight", "one bot, two recordings, two days", 2, time(23, 58), ("ready", "ready"),
            (_spoken("before midnight"), _spoken("after midnight", starts_after_seconds=120))),
    SampleMeeting("unicode", "names in many scripts", 1, time(8), ("ready",), (_spoken("議事録"),),
            bot_name="Élodies Notizbot 📼 会議, “a;b”", platform="google_meet",
            metadata={"équipe": "données", "顧客": "株式会社サンプル"}),
    SampleMeeting("desktop", "no bot", 1, time(9), ("ready",), (_spoken("desktop"),), has_bot=False, platform=None),
    SampleMeeting("unavailable", "its download always fails", 1, time(10), ("download_failed",), (_spoken("unavailable"),)),
    SampleMeeting("mixing-failed", "the MP3 failed", 1, time(11), ("failed_upstream",),
            (RecordingSpec(60, (ArtifactSpec(None, status="failed", sub_code="mixing_failed"),)),)),
    SampleMeeting("short-lived", "its retention ended", 1, time(12), ("expired",), (RecordingSpec(60, retention_hours=1),)),
    SampleMeeting("removed", "the recording was deleted", 1, time(13), ("deleted",), (RecordingSpec(60, status="deleted"),)),
    SampleMeeting("audio-gone", "the MP3 answers 404", 1, time(14), ("deleted",),
            (RecordingSpec(60, (ArtifactSpec(None, listed=False, gone=True),)),)),
    SampleMeeting("webex", "a platform without MP3", 1, time(15), ("unsupported_platform",), (RecordingSpec(60),), platform="webex"),
    SampleMeeting("video-only", "MP3 was not requested", 1, time(16), ("not_requested",), (RecordingSpec(60),),
            recording_config={"video_mixed_mp4": {}}),
    SampleMeeting("never-let-in", "a bot without a recording", 1, time(17), (), final_statuses=("fatal",)),
    SampleMeeting("on-hold", "the recording is paused", 1, time(18), ("processing",), (RecordingSpec(60, status="paused"),),
            final_statuses=()),
    SampleMeeting("still-mixing", "the MP3 is being made", 1, time(23, 30), ("processing",),
            (RecordingSpec(30, (ArtifactSpec(None, status="processing"),)),)),
)  # fmt: skip


def as_first_synced() -> World:
    """The world of the first sync."""
    world = World()
    for meeting in MEETINGS:
        world.add(*rows_of(meeting, TODAY))
    return world


def move_on(world: World) -> None:
    """Replace the MP3 of `revised`, and delete `kept` with its MP3."""
    content = _speech("second version", gain_db=-6)
    world.change_artifact(audio_ids("revised")[0], content=content, updated_at=REVISED_AT)
    for audio_id in audio_ids("kept"):
        world.change_artifact(audio_id, content=None, status="deleted", updated_at=REVISED_AT)
    for recording_id in recording_ids("kept"):
        world.change_recording(recording_id, status="deleted", shortcut_id=None, updated_at=REVISED_AT)


def as_last_synced() -> World:
    """The world of the last sync."""
    world = as_first_synced()
    move_on(world)
    return world


def download_fails() -> Rule:
    """The fault that keeps `unavailable` from being downloaded."""
    return Rule(unavailable(), origin="media", path=audio_ids("unavailable")[0])


def recording_ids(key: str) -> list[str]:
    """The recordings of a meeting, in their order."""
    return [row.id for row in _rows(key) if isinstance(row, SandboxRecording)]


def audio_ids(key: str) -> list[str]:
    """The MP3s of a meeting, in their order."""
    return [row.id for row in _rows(key) if isinstance(row, Artifact)]


def outcomes(now: datetime) -> dict[str, str]:
    """The outcome of each recording at `now`, by its id."""
    found = {
        recording_id: outcome
        for meeting in MEETINGS
        for recording_id, outcome in zip(recording_ids(meeting.key), meeting.outcomes, strict=True)
    }
    if now > OVERDUE_FROM:
        found[recording_ids("still-mixing")[0]] = "failed_upstream"
    return found


def _rows(key: str) -> Iterable[SandboxBot | SandboxRecording | Artifact]:
    (meeting,) = (meeting for meeting in MEETINGS if meeting.key == key)
    return rows_of(meeting, TODAY)
