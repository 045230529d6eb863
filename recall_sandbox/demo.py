"""The demo's meetings: five days of a small company, with all that goes wrong."""

from datetime import date

from recall_sandbox.meetings import rows_of
from recall_sandbox.meetings_with_audio import MEETINGS_WITH_AUDIO
from recall_sandbox.meetings_without_audio import MEETINGS_WITHOUT_AUDIO
from recall_sandbox.world import World

MEETINGS = (*MEETINGS_WITH_AUDIO, *MEETINGS_WITHOUT_AUDIO)


def demo_world(today: date) -> World:
    """The demo's meetings, in the five days before `today` (UTC); the same day gives the same world."""
    world = World()
    for meeting in MEETINGS:
        world.add(*rows_of(meeting, today))
    return world
