"""Events bring a sync sooner and nothing else: the listing stays the truth, behind them as a sweep."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from recall_pipeline.days import utc_now
from recall_pipeline.errors import StorageError
from recall_pipeline.polling.event_lookups import lookups_per_tick
from recall_pipeline.polling.listing_poll import PollCursor, tick_seconds
from recall_pipeline.settings import Settings
from recall_pipeline.storage import AWAITED_EVENTS, Archive
from recall_pipeline.webhooks import Event, EventStore
from recall_pipeline_tests.defs.test_finished_bots_sensor import (
    LATELY,
    LONG_AGO,
    TALK,
    TODAY,
    YESTERDAY,
    Daemon,
    file_days,
    meeting,
)
from recall_pipeline_tests.storages import FOLDER_AND_BUCKET
from recall_pipeline_tests.webhooks.signing import SECRET
from recall_sandbox import Rule, Sandbox, World
from recall_sandbox.effects import Reset
from recall_sandbox.meetings import ArtifactSpec, RecordingSpec, rows_of
from recall_sandbox.records import Artifact

SIX_HOURS = 6 * 3600


@pytest.fixture(params=FOLDER_AND_BUCKET)
def storage_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def world() -> World:
    world = World()
    for key, day in (("of yesterday", YESTERDAY), ("of lately", LATELY), ("of long ago", LONG_AGO)):
        world.add(*rows_of(meeting(key, day), TODAY))
    return world


@pytest.fixture(autouse=True)
def receiver_is_configured(environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("RECALL_SENSOR_INTERVAL_SECONDS", str(SIX_HOURS))
    monkeypatch.setenv("RECALL_OBJECT_RPM", "100000")


@pytest.fixture
def inbox(archive: Archive) -> EventStore:
    return EventStore(archive)


@pytest.fixture
def daemon(instance: dg.DagsterInstance, settings: Settings, archive: Archive) -> Daemon:
    """A daemon with the lookback on file and its first sweep behind it."""
    file_days(settings, archive, YESTERDAY, LATELY)
    daemon = Daemon(instance)
    assert daemon.tick() == {}
    return daemon


def event(artifact: Artifact, number: int = 0, event_type: str = "audio_mixed.done") -> Event:
    return Event(
        f"msg_{number}", event_type, utc_now(), recording_id=artifact.recording_id, audio_id=artifact.id, bot_id=None
    )


def new_audio(world: World, key: str = "new", day: date = YESTERDAY) -> Artifact:
    """A meeting of which no event has arrived yet."""
    before = {row.id for row in world.artifacts}
    world.add(*rows_of(meeting(key, day), TODAY))
    return next(row for row in world.artifacts if row.id not in before)


def test_an_event_asks_for_its_day_long_before_the_next_sweep(daemon: Daemon, inbox: EventStore, world: World) -> None:
    inbox.store(event(new_audio(world)))
    assert daemon.tick().keys() == {YESTERDAY.isoformat()}
    assert inbox.pending() == []


@pytest.mark.parametrize("day", [YESTERDAY, LONG_AGO], ids=["lookback", "long ago"])
def test_an_event_requests_its_day_until_the_tables_show_what_it_reports(
    day: date, daemon: Daemon, inbox: EventStore, world: World, sandbox: Sandbox, settings: Settings, archive: Archive
) -> None:
    inbox.store(event(new_audio(world, day=day)))
    requests = daemon.tick()
    assert requests.keys() == {day.isoformat()}
    sandbox.access_log.clear()
    assert Daemon(daemon.instance, daemon.cursor).tick() == requests  # the first tick or its run was lost
    assert len(sandbox.access_log.only(path=r"/[0-9a-f-]{36}/$")) == 0
    assert inbox.pending_count() == 1
    file_days(settings, archive, day)
    assert daemon.tick() == {}
    assert inbox.pending_count() == 0


def test_an_event_is_dropped_a_day_after_its_arrival(daemon: Daemon, inbox: EventStore, world: World) -> None:
    old = replace(event(new_audio(world, day=LONG_AGO)), received_at=utc_now() - timedelta(hours=25))
    inbox.store(old)
    assert daemon.tick().keys() == {LONG_AGO.isoformat()}
    assert daemon.tick() == {}
    assert inbox.pending_count() == 0


def test_a_damaged_list_of_awaited_events_costs_a_lookup(
    daemon: Daemon, inbox: EventStore, world: World, archive: Archive
) -> None:
    inbox.store(event(new_audio(world)))
    requests = daemon.tick()
    with archive.staged_file() as staged:
        staged.write_bytes(b"[{")
        archive.publish(staged, AWAITED_EVENTS)
    assert daemon.tick() == requests


@pytest.mark.parametrize("event_type", ["bot.done", "bot.fatal", "sdk_upload.complete", "recording.done"])
def test_events_of_every_relevant_type_request_their_day(
    event_type: str, daemon: Daemon, inbox: EventStore, world: World, settings: Settings, archive: Archive
) -> None:
    recording_id = new_audio(world, day=LONG_AGO).recording_id
    recording = world.recordings.get(recording_id)
    ids = {"bot_id": recording.bot_id} if event_type.startswith("bot") else {"recording_id": recording_id}  # type: ignore[union-attr]
    inbox.store(Event("msg_1", event_type, utc_now(), **ids))
    assert daemon.tick().keys() == {LONG_AGO.isoformat()}
    file_days(settings, archive, LONG_AGO)
    daemon.tick()
    assert inbox.pending_count() == 0


def test_audio_of_a_recording_that_is_on_file_asks_for_its_day(
    instance: dg.DagsterInstance, settings: Settings, archive: Archive, inbox: EventStore, world: World
) -> None:
    mixing = meeting(
        "mixing",
        YESTERDAY,
        recordings=(RecordingSpec(10, (ArtifactSpec(None, status="processing", in_shortcut=False),)),),
    )
    world.add(*rows_of(mixing, TODAY))
    file_days(settings, archive, YESTERDAY, LATELY)
    daemon = Daemon(instance)
    assert daemon.tick() == {}
    artifact = next(row for row in world.artifacts if row.status == "processing")
    world.finish_artifact(artifact.id, TALK)
    inbox.store(event(artifact))
    assert daemon.tick().keys() == {YESTERDAY.isoformat()}


def test_between_two_sweeps_no_list_is_read(
    daemon: Daemon, inbox: EventStore, world: World, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_audio(world)  # and its event is lost
    sandbox.access_log.clear()
    assert daemon.tick() == {}
    assert not sandbox.access_log.only(origin="api")
    later = utc_now() + timedelta(seconds=SIX_HOURS)
    monkeypatch.setattr("recall_pipeline.defs.finished_bots_sensor.utc_now", lambda: later)
    assert YESTERDAY.isoformat() in daemon.tick()


def test_a_sweep_that_is_not_finished_goes_on_at_the_next_tick(
    instance: dg.DagsterInstance, sandbox: Sandbox, world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RECALL_LIST_RPM", "20")  # two pages a tick
    for number in range(3):
        world.add(*rows_of(meeting(f"more {number}", YESTERDAY), TODAY))
    sandbox.behaviour.page_size = 1
    daemon, asked_for, ticks = Daemon(instance), set[str](), 0
    while ticks == 0 or PollCursor.from_json(daemon.cursor).hot or PollCursor.from_json(daemon.cursor).rest:
        monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / f"budget of tick {ticks}"))
        asked_for |= daemon.tick().keys()
        ticks += 1
        assert ticks < 20
    assert ticks > 1
    assert asked_for == {YESTERDAY.isoformat(), LATELY.isoformat()}
    assert daemon.tick() == {}
    assert "0 pages read" in daemon.skip_message


def test_what_is_repeated_late_or_out_of_order_asks_for_nothing(
    daemon: Daemon, inbox: EventStore, world: World
) -> None:
    of_the_lookback = [row for row in world.artifacts if row.created_at.date() > LONG_AGO]
    for number, artifact in enumerate([*of_the_lookback, *of_the_lookback]):
        for kind in ("audio_mixed.done", "recording.done", "recording.processing"):
            inbox.store(event(artifact, number, kind))
    assert daemon.tick() == {}
    assert inbox.pending_count() == 0


def test_an_event_without_ids_is_consumed_without_a_lookup(
    daemon: Daemon, inbox: EventStore, world: World, sandbox: Sandbox
) -> None:
    artifact = new_audio(world)
    for number, kind in enumerate(("bot.joining_call", "transcript.done", "recording.processing")):
        inbox.store(event(artifact, number, kind))
    inbox.store(Event("msg_without_ids", "recording.done", utc_now()))
    sandbox.access_log.clear()
    assert daemon.tick() == {}
    assert inbox.pending_count() == 0
    assert not sandbox.access_log.only(origin="api")


def test_an_event_of_something_gone_asks_for_nothing(daemon: Daemon, inbox: EventStore, world: World) -> None:
    artifact = new_audio(world)
    world.delete_recording(artifact.recording_id, "gone")
    inbox.store(event(artifact))
    assert daemon.tick() == {}
    assert inbox.pending_count() == 0


def test_while_the_api_is_down_events_wait(daemon: Daemon, inbox: EventStore, world: World, sandbox: Sandbox) -> None:
    inbox.store(event(new_audio(world)))
    down = Rule(Reset(), origin="api")
    sandbox.faults.add(down)
    assert daemon.tick() == {}
    assert "0 events consumed, 1 pending" in daemon.skip_message
    assert "cannot reach" in daemon.skip_message
    sandbox.faults.remove(down)
    assert daemon.tick().keys() == {YESTERDAY.isoformat()}


def test_events_that_cannot_be_read_never_stop_the_look_at_the_listings(
    daemon: Daemon, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object) -> list[Event]:
        raise StorageError("cannot list _events: Input/output error. Look at the disk")

    new_audio(world)
    later = utc_now() + timedelta(seconds=SIX_HOURS)
    monkeypatch.setattr("recall_pipeline.defs.finished_bots_sensor.utc_now", lambda: later)
    for broken in ("pending", "mark_consumed"):
        with monkeypatch.context() as patched:
            patched.setattr(EventStore, broken, unreadable)
            patched.setenv("RECALL_SENSOR_INTERVAL_SECONDS", "30")
            daemon.cursor = None
            assert YESTERDAY.isoformat() in daemon.tick()


def test_a_burst_of_events_is_processed_within_the_request_budget(
    daemon: Daemon,
    inbox: EventStore,
    world: World,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
) -> None:
    monkeypatch.setenv("RECALL_OBJECT_RPM", "12")
    small = settings.model_copy(update={"object_rpm": 12})
    share = lookups_per_tick(small, 30)
    assert share == 3
    for number in range(5):
        inbox.store(event(new_audio(world, f"burst {number}"), number))
    for left in (2, 0):
        sandbox.access_log.clear()
        daemon.tick()
        assert len(inbox.pending()) == left
        assert len(sandbox.access_log.only(path=r"/recording/[0-9a-f-]{36}/$")) <= share


@pytest.mark.parametrize(
    ("status", "asked"), [(dg.DagsterRunStatus.NOT_STARTED, False), (dg.DagsterRunStatus.STARTED, True)]
)
def test_an_event_is_covered_by_a_queued_run_but_not_by_a_started_one(
    daemon: Daemon, inbox: EventStore, world: World, status: dg.DagsterRunStatus, asked: bool
) -> None:
    tags = {"dagster/partition": YESTERDAY.isoformat()}
    daemon.instance.add_run(dg.DagsterRun(job_name="sync_day", status=status, tags=tags))
    inbox.store(event(new_audio(world)))
    assert bool(daemon.tick()) is asked
    assert inbox.pending() == []


def test_another_event_of_the_same_news_has_another_run_key(daemon: Daemon, inbox: EventStore, world: World) -> None:
    artifact = new_audio(world)
    inbox.store(event(artifact, 1))
    first = daemon.tick()
    inbox.store(event(artifact, 2))
    second = daemon.tick()
    assert second.keys() == first.keys()
    assert second != first
    inbox.store(event(artifact, 1))
    assert daemon.tick() == second


def test_without_a_secret_nothing_is_drained_and_every_tick_looks(
    daemon: Daemon, inbox: EventStore, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RECALL_WEBHOOK_SECRET")
    inbox.store(event(new_audio(world)))
    assert daemon.tick().keys() == {YESTERDAY.isoformat()}
    assert inbox.pending_count() == 1


def test_with_a_receiver_it_ticks_every_half_minute(settings: Settings) -> None:
    assert tick_seconds(settings) == 300
    assert tick_seconds(Settings(webhook_secret=SECRET)) == 30
