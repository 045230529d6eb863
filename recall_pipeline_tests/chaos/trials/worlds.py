"""Meetings for a trial: few and short, one of each kind that a sync handles differently."""

from datetime import date, time

from recall_sandbox import World
from recall_sandbox.meetings import ArtifactSpec, RecordingSpec, SampleMeeting, rows_of
from recall_sandbox.speech import Speech

TALK_SECONDS = 4


def small_world(day: date, *, talks: int = 3, talk_seconds: float = TALK_SECONDS) -> World:
    """Return a day of some talks, a silent one, one of the desktop SDK, and one on a platform without MP3."""
    world = World()
    silence = RecordingSpec(TALK_SECONDS, (ArtifactSpec(Speech(TALK_SECONDS, clips=())),))
    for meeting in (
        SampleMeeting("silence", "silence", 0, time(7), ("silent",), (silence,)),
        SampleMeeting("desktop", "no bot", 0, time(8), ("ready",), (_talk("desktop", TALK_SECONDS),), has_bot=False),
        SampleMeeting(
            "webex", "no MP3", 0, time(8, 30), ("unsupported_platform",), (RecordingSpec(60),), platform="webex"
        ),
    ):
        world.add(*rows_of(meeting, day))
    for number in range(talks):
        add_talk(world, day, number, talk_seconds)
    return world


def add_talk(world: World, day: date, number: int, talk_seconds: float = TALK_SECONDS) -> None:
    """Add a meeting with unique bytes, between 09:00 and 17:00 UTC."""
    at = time(9 + number // 60 % 8, number % 60)
    meeting = SampleMeeting(f"talk {number}", "an MP3", 0, at, ("ready",), (_talk(f"talk {number}", talk_seconds),))
    world.add(*rows_of(meeting, day))


def _talk(title: str, seconds: float) -> RecordingSpec:
    return RecordingSpec(seconds, (ArtifactSpec(Speech(seconds, title=title)),))
