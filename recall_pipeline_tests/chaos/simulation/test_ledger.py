"""The ledger knows which downloads have a cause."""

from datetime import UTC, datetime, timedelta

import pytest

from recall_pipeline_tests.chaos.simulation.clock import TurnedClock
from recall_pipeline_tests.chaos.simulation.ledger import Ledger
from recall_sandbox import World
from recall_sandbox.content import ErrorPage
from recall_sandbox.meetings import ArtifactSpec, RecordingSpec, SampleMeeting, rows_of
from recall_sandbox.records import Artifact

_ENDED = datetime(2025, 8, 2, tzinfo=UTC)
_MEETING = SampleMeeting(
    "bad", "an MP3", 0, _ENDED.time().replace(hour=9), ("ready",), (RecordingSpec(4, (ArtifactSpec(ErrorPage()),)),)
)


@pytest.mark.parametrize(("fetches", "faults"), [(4, 0), (5, 1)])
def test_a_bad_version_that_is_replaced_by_the_same_bytes_explains_two_more_downloads(
    fetches: int, faults: int
) -> None:
    clock = TurnedClock(_ENDED)
    world = World(clock)
    rows = list(rows_of(_MEETING, datetime(2025, 8, 1, tzinfo=UTC).date()))
    world.add(*rows)
    (mp3,) = (row.id for row in rows if isinstance(row, Artifact) and row.format == "mp3")
    ledger = Ledger(world)
    ledger.observe(clock())
    clock.turn_to(_ENDED + timedelta(days=1))
    world.replace_audio(mp3, ErrorPage())
    ledger.observe(clock())

    ledger.fetches[mp3] = fetches

    assert len(list(ledger.without_cause())) == faults
