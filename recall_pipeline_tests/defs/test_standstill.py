"""Weeks on a turned clock: nightly ticks of the schedule, a sync of each requested day, and what goes wrong between."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import dagster as dg
import pytest

from recall_pipeline.catalog import CATALOG, days_due, sync_catalog
from recall_pipeline.days import clock_replaced, days_between
from recall_pipeline.defs import build_definitions
from recall_pipeline.discovery import BOTS, RECORDINGS, sync_bots, sync_recordings
from recall_pipeline.download import sync_mp3s
from recall_pipeline.errors import StorageError
from recall_pipeline.recall_api import Upstream, list_days, open_client
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, open_day
from recall_sandbox import World
from recall_sandbox.meetings import ArtifactSpec, RecordingSpec, SampleMeeting, rows_of
from recall_sandbox.speech import Speech

FIRST = date(2026, 3, 2)
NIGHT = timedelta(days=1)
TALK = Speech(2)


class Calendar:
    """The clock of product and sandbox, and the nights of an archive."""

    def __init__(self, settings: Settings, archive: Archive) -> None:
        self.settings, self.archive = settings, archive
        self.now = datetime.combine(FIRST, time(2, 23), UTC)
        self.faults: dict[date, str] = {}

    def night(self) -> list[date]:
        """Go on to the next night, sync what the schedule requests, and return its days."""
        self.now += NIGHT
        self.faults.clear()
        requested = self.requested()
        for day in requested:
            try:
                asyncio.run(self._sync(day))
            except StorageError as error:
                self.faults[day] = str(error)
        return requested

    def requested(self) -> list[date]:
        """The days that the schedule requests now."""
        repository = build_definitions(self.settings).get_repository_def()
        context = dg.build_schedule_context(scheduled_execution_time=self.now, repository_def=repository)
        requests = repository.get_schedule_def("daily_sync").evaluate_tick(context).run_requests or []
        return [date.fromisoformat(str(request.partition_key)) for request in requests]

    def outcomes(self) -> dict[date, list[str]]:
        """The outcomes of each cataloged day that has any."""
        table = CATALOG.read_days(self.archive, columns=["day", "outcome"])
        found: dict[date, list[str]] = {}
        for row in table.to_pylist():
            found.setdefault(row["day"], []).append(row["outcome"])
        return found

    async def _sync(self, day: date) -> None:
        async with open_client(self.settings) as client:
            upstream = Upstream(client, await list_days(client, day, day))
            with open_day(self.archive, day) as archive_day:
                await sync_bots(archive_day, upstream)
                await sync_recordings(archive_day, upstream)
                await sync_mp3s(archive_day, upstream, self.settings, frozenset())
                sync_catalog(archive_day, self.settings)


@pytest.fixture
def world() -> World:
    return World(lambda: datetime.combine(FIRST, time(2, 23), UTC))


@pytest.fixture
def calendar(settings: Settings, archive: Archive) -> Iterator[Calendar]:
    """Three nights of an archive whose schedule looks back three days."""
    calendar = Calendar(settings.model_copy(update={"lookback_days": 3, "start_date": FIRST}), archive)
    with clock_replaced(lambda: calendar.now):
        for number in range(1, 4):
            assert calendar.night()[-1] == FIRST + (number - 1) * NIGHT
        yield calendar


def meet(world: World, day: date, artifact: ArtifactSpec) -> str:
    """Add a meeting at noon, and return the id of its artifact."""
    recording = RecordingSpec(2, (artifact,), retention_hours=24 * 60)
    world.add(*rows_of(SampleMeeting(f"of {day}", "standstill", 0, time(12), ("ready",), (recording,)), day))
    return next(row.id for row in world.artifacts if row.created_at.date() == day)


def test_days_missed_in_an_outage_are_synced_and_an_mp3_that_finishes_days_late_is_archived(
    calendar: Calendar, world: World
) -> None:
    stopped = FIRST + 3 * NIGHT
    processing = meet(world, stopped, ArtifactSpec(None, status="processing"))
    calendar.night()
    calendar.night()
    assert calendar.outcomes() == {stopped: ["failed_upstream"]}  # overdue
    calendar.now += 12 * NIGHT
    meet(world, stopped + 5 * NIGHT, ArtifactSpec(TALK))
    world.finish_artifact(processing, TALK)
    last = calendar.now.date()
    first_night, second_night = calendar.night(), calendar.night()
    assert len(first_night) == 1 + 7 + 3
    assert first_night[0] == stopped
    assert set(days_between(stopped + 2 * NIGHT, last)) <= {*first_night, *second_night}
    assert calendar.outcomes() == {stopped: ["ready"], stopped + 5 * NIGHT: ["ready"]}
    due = days_due(calendar.archive, calendar.settings, calendar.now + NIGHT)
    assert due.requested == [last + 2 * NIGHT]
    assert all(state.is_whole for day, state in due.states.items() if day < last + 2 * NIGHT)


def test_a_new_version_that_recall_published_in_an_outage_is_archived_although_its_day_left_the_lookback(
    calendar: Calendar, world: World
) -> None:
    met = FIRST + 3 * NIGHT
    replaced = meet(world, met, ArtifactSpec(TALK))
    calendar.night()
    [before] = CATALOG.read(calendar.archive, met) or []
    calendar.now += NIGHT
    world.replace_audio(replaced, Speech(3))
    calendar.now += 12 * NIGHT
    for _ in range(3):
        calendar.night()
    [after] = CATALOG.read(calendar.archive, met) or []
    assert (before.outcome, after.outcome) == ("ready", "ready")
    assert (round(before.duration_seconds or 0), round(after.duration_seconds or 0)) == (2, 3)
    assert calendar.night() == [calendar.now.date() - NIGHT]


@pytest.mark.parametrize("table", [BOTS, RECORDINGS, CATALOG], ids=lambda table: table.name)
def test_a_garbage_table_of_one_day_fails_its_run_alone_every_night(calendar: Calendar, table: object) -> None:
    damaged = FIRST + NIGHT
    key = table.key(damaged)  # type: ignore[attr-defined]
    calendar.archive.local_path(key).write_bytes(b"garbage")
    for _ in range(6):
        requested = calendar.night()
        assert requested[0] == damaged
        assert requested[-1] == calendar.now.date() - NIGHT
        assert list(calendar.faults) == [damaged]
        assert "restore it from a backup, or move it away and sync" in calendar.faults[damaged]
    calendar.archive.remove(key)
    assert calendar.night()[0] == damaged
    assert (calendar.faults, len(calendar.night())) == ({}, 1)
