"""The demo's meetings: five days of a small company, with every outcome and every odd shape of the API."""

from datetime import date
from functools import cache
from importlib.resources import files

from recall_sandbox.meeting_file import read_meetings
from recall_sandbox.meetings import SampleMeeting, rows_of
from recall_sandbox.world import World


@cache
def demo_meetings() -> tuple[SampleMeeting, ...]:
    """The meetings in `demo_meetings.yaml`, in the order of that file."""
    return read_meetings(files("recall_sandbox") / "demo_meetings.yaml")


def demo_world(today: date) -> World:
    """A world with the demo's meetings, in the five days before `today` (UTC); the same day gives the same world."""
    world = World()
    for meeting in demo_meetings():
        world.add(*rows_of(meeting, today))
    return world
