"""The sensor requests exactly the days of which Recall.ai says something that is not on file."""

import asyncio
import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recall_pipeline.audit import AUDIT
from recall_pipeline.days import days_between, utc_now
from recall_pipeline.defs.finished_bots_sensor import finished_bots_sensor
from recall_pipeline.defs.names import Names
from recall_pipeline.defs.run_context import refetched_in
from recall_pipeline.discovery import BOTS, RECORDINGS, sync_bots, sync_recordings
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.download.artifacts import find_artifacts
from recall_pipeline.errors import StorageError
from recall_pipeline.polling.listing_poll import PollCursor, pages_per_tick, ticks_until_seen
from recall_pipeline.recall_api import Upstream, open_client
from recall_pipeline.recall_api.day_listing import list_days
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, Table, open_day
from recall_pipeline_tests.workspace import an_id
from recall_sandbox import Rule, Sandbox, World
from recall_sandbox.demo import demo_meetings
from recall_sandbox.effects import Delay, Reset, unavailable
from recall_sandbox.meetings import ArtifactSpec, RecordingSpec, SampleMeeting, rows_of
from recall_sandbox.network_effects import InnerNext
from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording, SandboxStatusChange
from recall_sandbox.speech import Speech

pytestmark = pytest.mark.usefixtures("environment")

TODAY = utc_now().date()
YESTERDAY, LATELY, LONG_AGO = (TODAY - timedelta(days=days) for days in (1, 5, 40))
TALK = Speech(10)


def meeting(key: str, day: date, **changes: object) -> SampleMeeting:
    """A finished meeting at noon with one MP3."""
    recordings = (RecordingSpec(10, (ArtifactSpec(TALK),)),)
    fields = {
        "days_ago": (TODAY - day).days,
        "starts": time(12),
        "outcomes": ("ready",),
        "recordings": recordings,
        **changes,
    }
    return SampleMeeting(key, "for the sensor", **fields)  # type: ignore[arg-type]


@pytest.fixture
def world() -> World:
    world = World()
    world.add(*rows_of(meeting("of yesterday", YESTERDAY), TODAY), *rows_of(meeting("of lately", LATELY), TODAY))
    world.add(*rows_of(meeting("of long ago", LONG_AGO), TODAY))
    return world


class Daemon:
    """Ticks the sensor, handing the cursor on."""

    def __init__(self, instance: dg.DagsterInstance, cursor: str | None = None) -> None:
        self.instance, self.cursor, self.skip_message = instance, cursor, ""
        self.looked_up_again: frozenset[str] = frozenset()

    def tick(self) -> dict[str, str]:
        """Return the run key of each day requested."""
        finished_bots = finished_bots_sensor(Settings.from_environment(), Names())
        result = finished_bots(dg.build_sensor_context(instance=self.instance, cursor=self.cursor))
        if isinstance(result, dg.SkipReason):
            self.skip_message = result.skip_message or ""
            return {}
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        self.skip_message = (result.skip_reason and result.skip_reason.skip_message) or ""
        requests = result.run_requests or []
        self.looked_up_again = frozenset().union(*(refetched_in(one.tags) for one in requests))
        return {str(one.partition_key): str(one.run_key) for one in requests}


def file_days(settings: Settings, archive: Archive, *days: date, refetch: frozenset[str] = frozenset()) -> None:
    """Put on file what a sync would, without the audio. `refetch`: the recordings that its run looks up again."""

    async def file(day: date) -> None:
        async with open_client(settings) as client:
            upstream = Upstream(client, await list_days(client, day, day))
            with open_day(archive, day) as archive_day:
                await sync_bots(archive_day, upstream)
                await sync_recordings(archive_day, upstream, refetch)
                rows, _ = await find_artifacts(archive_day, upstream, refetch)
                captured = [replace(row, state="archived", captured_updated_at=row.updated_at) for row in rows]
                archive_day.write(MIXED_AUDIO, captured)

    for day in days:
        asyncio.run(file(day))


def test_with_an_empty_archive_every_day_of_the_lookback_with_meetings_is_requested(
    instance: dg.DagsterInstance,
) -> None:
    assert Daemon(instance).tick().keys() == {YESTERDAY.isoformat(), LATELY.isoformat()}


@pytest.mark.parametrize(("retention_days", "is_requested"), [("1", False), ("4", False), ("5", True), ("off", True)])
def test_a_day_that_is_older_than_retention_is_not_requested(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, retention_days: str, is_requested: bool
) -> None:
    monkeypatch.setenv("RECALL_RETENTION_DAYS", retention_days)
    assert (LATELY.isoformat() in Daemon(instance).tick()) == is_requested


def test_an_archived_recording_requests_no_run_whatever_the_cursor(
    instance: dg.DagsterInstance, settings: Settings, archive: Archive
) -> None:
    file_days(settings, archive, YESTERDAY, LATELY)
    for cursor in (None, "", "no JSON", '{"2026-03-02": "digest of an older version"}', '{"hot": 5, "rest": []}'):
        daemon = Daemon(instance, cursor)
        assert daemon.tick() == {}
        assert "0 changed days" in daemon.skip_message


def test_nothing_of_the_demo_is_news_once_its_days_are_on_file(
    instance: dg.DagsterInstance, settings: Settings, archive: Archive, world: World
) -> None:
    """Not even what a bot or a shortcut shows as it was although it is gone: that would be asked for every hour."""
    world.add(*(row for one in demo_meetings() for row in rows_of(one, TODAY)))
    daemon = Daemon(instance)
    assert len(daemon.tick()) >= 5
    file_days(settings, archive, *days_between(TODAY - timedelta(days=7), TODAY))
    assert [daemon.tick(), daemon.tick()] == [{}, {}]


@pytest.mark.parametrize("table", [BOTS, RECORDINGS, MIXED_AUDIO, AUDIT], ids=lambda table: table.name)
@pytest.mark.parametrize("content", [b"garbage", b"", None], ids=["garbage", "empty", "older schema"])
def test_an_unreadable_table_requests_its_day_and_stops_no_other(
    instance: dg.DagsterInstance,
    settings: Settings,
    archive: Archive,
    world: World,
    table: Table[Any],
    content: bytes | None,
) -> None:
    file_days(settings, archive, YESTERDAY, LATELY)
    damaged = archive.local_path(table.key(LATELY))
    damaged.parent.mkdir(parents=True, exist_ok=True)
    if content is None:
        pq.write_table(pa.table({"anything": ["x"]}), damaged)
    else:
        damaged.write_bytes(content)
    world.add(*rows_of(meeting("new", YESTERDAY), TODAY))
    expected = {YESTERDAY} if table is AUDIT else {YESTERDAY, LATELY}
    assert Daemon(instance).tick().keys() == {day.isoformat() for day in expected}


def test_a_storage_that_does_not_answer_is_a_clear_skip_and_requests_nothing(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object) -> None:
        raise StorageError("cannot read: time-out")

    for method in ("open_file", "read"):
        monkeypatch.setattr(Archive, method, unreachable)
    daemon = Daemon(instance)
    assert daemon.tick() == {}
    assert daemon.skip_message == "cannot read: time-out"


def test_a_bot_that_finishes_days_late_asks_for_its_day(
    instance: dg.DagsterInstance, settings: Settings, archive: Archive, world: World
) -> None:
    late = meeting(
        "late", LATELY, final_statuses=("in_call_recording",), recordings=(RecordingSpec(10, status="processing"),)
    )
    rows = rows_of(late, TODAY)
    world.add(*rows)
    file_days(settings, archive, YESTERDAY, LATELY)
    daemon = Daemon(instance)
    assert daemon.tick() == {}
    world.finish_recording(next(row.id for row in world.recordings if row.status == "processing"))
    assert daemon.tick().keys() == {LATELY.isoformat()}


def test_audio_that_becomes_ready_asks_for_its_recordings_day_and_no_other(
    instance: dg.DagsterInstance, settings: Settings, archive: Archive, world: World
) -> None:
    world.add(
        *rows_of(
            meeting("mixing", YESTERDAY, recordings=(RecordingSpec(10, (ArtifactSpec(None, status="processing"),)),)),
            TODAY,
        )
    )
    file_days(settings, archive, YESTERDAY, LATELY)
    daemon = Daemon(instance)
    assert daemon.tick() == {}
    world.finish_artifact(next(row.id for row in world.artifacts if row.status == "processing"), TALK)
    assert daemon.tick().keys() == {YESTERDAY.isoformat()}


@pytest.mark.parametrize(
    ("of", "days_later"),
    [
        ("an unknown request", 0),
        ("an unknown request", 1),
        ("an unknown request", 4),
        ("a request for video only", 1),
        ("a recording with an MP3", 1),
    ],
)
def test_an_mp3_that_is_created_on_a_later_day_requests_its_recordings_day_until_it_is_stored(
    of: str, days_later: int, instance: dg.DagsterInstance, settings: Settings, archive: Archive, world: World
) -> None:
    changes: dict[str, Any] = {
        "an unknown request": {"has_bot": False},
        "a request for video only": {"recording_config": {}},
    }
    artifacts = (ArtifactSpec(TALK),) if of == "a recording with an MP3" else ()
    late = meeting("late", LATELY, recordings=(RecordingSpec(10, artifacts),), **changes.get(of, {}))
    rows = list(rows_of(late, TODAY))
    world.add(*rows)
    file_days(settings, archive, YESTERDAY, LATELY)
    daemon = Daemon(instance)
    assert daemon.tick() == {}
    created_at = datetime.combine(LATELY + timedelta(days=days_later), time(15), UTC)
    recording = next(row for row in rows if isinstance(row, SandboxRecording))
    world.add(Artifact(an_id("late"), recording.id, created_at, created_at, TALK))
    assert daemon.tick().keys() == {LATELY.isoformat()}
    file_days(settings, archive, LATELY, refetch=daemon.looked_up_again)
    assert an_id("late") in {row.audio_id for row in MIXED_AUDIO.read(archive, LATELY) or []}
    assert daemon.tick() == {}


def test_a_second_meeting_of_a_day_asks_for_it_under_a_new_run_key(
    instance: dg.DagsterInstance, settings: Settings, archive: Archive, world: World
) -> None:
    daemon = Daemon(instance)
    first = daemon.tick()[YESTERDAY.isoformat()]
    file_days(settings, archive, YESTERDAY, LATELY)
    world.add(*rows_of(meeting("second", YESTERDAY), TODAY))
    assert daemon.tick()[YESTERDAY.isoformat()] != first


def test_a_meeting_over_midnight_asks_for_both_days(
    instance: dg.DagsterInstance, settings: Settings, archive: Archive, world: World
) -> None:
    file_days(settings, archive, YESTERDAY, LATELY)
    recordings = (
        RecordingSpec(10, (ArtifactSpec(TALK),)),
        RecordingSpec(10, (ArtifactSpec(TALK),), starts_after_seconds=600),
    )
    before = YESTERDAY - timedelta(days=1)
    world.add(*rows_of(meeting("over midnight", before, starts=time(23, 55), recordings=recordings), TODAY))
    assert Daemon(instance).tick().keys() == {before.isoformat(), YESTERDAY.isoformat()}


def test_a_day_whose_run_waits_or_runs_is_not_asked_for_twice(instance: dg.DagsterInstance) -> None:
    run = dg.DagsterRun(
        job_name="sync_day", status=dg.DagsterRunStatus.STARTED, tags={"dagster/partition": YESTERDAY.isoformat()}
    )
    instance.add_run(run)
    daemon = Daemon(instance)
    assert daemon.tick().keys() == {LATELY.isoformat()}
    instance.delete_run(run.run_id)
    assert YESTERDAY.isoformat() in daemon.tick()


def test_the_days_of_an_unfinished_range_run_are_not_requested_again(instance: dg.DagsterInstance) -> None:
    span = {
        "dagster/asset_partition_range_start": (LATELY - timedelta(days=1)).isoformat(),
        "dagster/asset_partition_range_end": (LATELY + timedelta(days=1)).isoformat(),
    }
    instance.add_run(dg.DagsterRun(job_name="sync_day", status=dg.DagsterRunStatus.STARTED, tags=span))
    assert Daemon(instance).tick().keys() == {YESTERDAY.isoformat()}


def test_a_range_in_the_queue_does_not_delay_what_is_new(instance: dg.DagsterInstance) -> None:
    span = {
        "dagster/asset_partition_range_start": (LATELY - timedelta(days=1)).isoformat(),
        "dagster/asset_partition_range_end": (LATELY + timedelta(days=1)).isoformat(),
    }
    instance.add_run(dg.DagsterRun(job_name="sync_day", status=dg.DagsterRunStatus.NOT_STARTED, tags=span))
    assert LATELY.isoformat() in Daemon(instance).tick()


def test_a_tick_stays_within_its_share_and_the_next_goes_on_in_the_middle_of_the_list(
    instance: dg.DagsterInstance, sandbox: Sandbox, world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RECALL_LIST_RPM", "50")
    for number in range(30):
        world.add(*rows_of(meeting(f"busy {number}", YESTERDAY), TODAY))
    sandbox.behaviour.page_size = 1
    share, daemon, asked_for = pages_per_tick(Settings(list_rpm=50)), Daemon(instance), set[str]()
    for minute in range(5):
        sandbox.access_log.clear()
        monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / f"budget of minute {minute}"))
        asked_for |= daemon.tick().keys()
        for path in ("/api/v1/bot/", "/api/v1/recording/", "/api/v1/audio_mixed/"):
            assert 0 < len(sandbox.access_log.only(path=path)) <= share
    assert asked_for == {YESTERDAY.isoformat(), LATELY.isoformat()}


def test_a_change_is_asked_for_within_the_stated_number_of_ticks_wherever_and_whenever_it_happens(
    instance: dg.DagsterInstance,
    sandbox: Sandbox,
    settings: Settings,
    archive: Archive,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    for number in range(3):  # with those of the world: four pages of the last two days, three of the rest
        world.add(*rows_of(meeting(f"hot {number}", YESTERDAY), TODAY))
    world.add(*(row for number in range(2) for row in rows_of(meeting(f"old {number}", LATELY), TODAY)))
    file_days(settings, archive, YESTERDAY, LATELY)
    sandbox.behaviour.page_size = 1
    monkeypatch.setenv("RECALL_LIST_RPM", "25")
    minutes, statuses = itertools.count(), itertools.cycle(("analysis_done", "media_expired"))

    def tick(daemon: Daemon) -> bool:
        monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / f"budget of minute {next(minutes)}"))
        return LATELY.isoformat() in daemon.tick()

    def ticks_to_see(bot: SandboxBot, *, after: int) -> int:
        """A bot is shown by its list alone, so this recordings as long as it can."""
        daemon = Daemon(instance)
        assert not any(tick(daemon) for _ in range(after))
        history = (*bot.status_changes, SandboxStatusChange(next(statuses), utc_now()))
        world.change_bot(bot.id, status_changes=history)
        ticks = next(number for number in itertools.count(1) if tick(daemon))
        file_days(settings, archive, LATELY)
        return ticks

    bots = [bot for bot in world.bots if bot.join_at and bot.join_at.date() == LATELY]
    taken = [ticks_to_see(bot, after=after) for bot in bots for after in range(len(bots))]
    _, stated = ticks_until_seen(Settings(list_rpm=25), hot_pages=4, rest_pages=3)
    assert max(taken) == stated == 3


def test_half_of_the_answers_failing_delays_news_and_loses_none(instance: dg.DagsterInstance, sandbox: Sandbox) -> None:
    sandbox.faults.add(Rule(unavailable(503), origin="api", probability=0.5))
    daemon, asked_for = Daemon(instance), set[str]()
    for _ in range(12):
        asked_for |= daemon.tick().keys()
    assert asked_for == {YESTERDAY.isoformat(), LATELY.isoformat()}


def test_an_api_that_is_down_is_a_clear_skip_and_loses_no_place(instance: dg.DagsterInstance, sandbox: Sandbox) -> None:
    daemon = Daemon(instance)
    daemon.tick()
    rule = Rule(Reset(), origin="api")
    sandbox.faults.add(rule)
    assert daemon.tick() == {}
    assert "cannot reach" in daemon.skip_message
    assert "\n" not in daemon.skip_message
    sandbox.faults.remove(rule)
    assert daemon.tick().keys() == {YESTERDAY.isoformat(), LATELY.isoformat()}


def test_without_a_key_it_skips_with_the_reason(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECALL_API_KEY")
    daemon = Daemon(instance)
    assert daemon.tick() == {}
    assert daemon.skip_message.startswith("RECALL_API_KEY is not set")


@pytest.mark.parametrize("stored", ["http://127.0.0.1:9/elsewhere/", "http://127.0.0.1:9/recording/?cursor=unknown"])
def test_a_cursor_that_names_no_page_restarts_its_listing(instance: dg.DagsterInstance, stored: str) -> None:
    daemon = Daemon(instance, PollCursor(hot={"recording": stored}).to_json())
    for _ in range(3):
        if YESTERDAY.isoformat() in daemon.tick():
            break
    else:
        pytest.fail("the list was never read again")


def test_behind_a_reverse_proxy_that_shows_the_inner_host_every_page_is_read(
    instance: dg.DagsterInstance, sandbox: Sandbox
) -> None:
    sandbox.behaviour.page_size = 1
    sandbox.faults.add(Rule(InnerNext("http://inner.invalid:8000/v1"), origin="api"))
    daemon, days = Daemon(instance), set[str]()
    while len(days) < 2:
        days |= daemon.tick().keys()
        assert "inner.invalid" not in (daemon.cursor or "")
    assert days == {YESTERDAY.isoformat(), LATELY.isoformat()}


def test_an_api_that_takes_most_of_a_tick_for_each_page_is_read_page_by_page(
    instance: dg.DagsterInstance, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.behaviour.page_size = 1
    sandbox.faults.add(Rule(Delay(0.2), origin="api"))
    monkeypatch.setattr("recall_pipeline.defs.finished_bots_sensor._POLL_DEADLINE_SECONDS", 0.35)
    daemon, days = Daemon(instance), set[str]()
    for _ in range(30):
        days |= daemon.tick().keys()
        if days == {YESTERDAY.isoformat(), LATELY.isoformat()}:
            break
    else:
        pytest.fail("the sensor reads the same pages again")


def test_a_range_that_waits_in_the_queue_does_not_delay_what_is_new(instance: dg.DagsterInstance) -> None:
    span = {
        "dagster/asset_partition_range_start": (LATELY - timedelta(days=1)).isoformat(),
        "dagster/asset_partition_range_end": (LATELY + timedelta(days=1)).isoformat(),
    }
    instance.add_run(dg.DagsterRun(job_name="sync_day", status=dg.DagsterRunStatus.NOT_STARTED, tags=span))
    assert LATELY.isoformat() in Daemon(instance).tick()


def test_news_that_a_failed_run_left_behind_is_asked_for_again_in_another_hour(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def key_at(moment: datetime) -> str:
        monkeypatch.setattr("recall_pipeline.defs.finished_bots_sensor.utc_now", lambda: moment)
        return Daemon(instance).tick()[YESTERDAY.isoformat()]

    now = utc_now().replace(minute=5)
    assert key_at(now) == key_at(now.replace(minute=50))
    assert key_at(now) != key_at(now + timedelta(hours=1))


def test_an_mp3_that_an_interrupted_sync_left_behind_is_news(
    instance: dg.DagsterInstance, settings: Settings, archive: Archive
) -> None:
    file_days(settings, archive, YESTERDAY, LATELY)
    [row] = MIXED_AUDIO.read(archive, LATELY) or []
    MIXED_AUDIO.write(archive, LATELY, [replace(row, state=None, captured_updated_at=None)])
    assert Daemon(instance).tick().keys() == {LATELY.isoformat()}
    MIXED_AUDIO.write(archive, LATELY, [replace(row, state=None, captured_updated_at=None, fetch_failure="HTTP 503")])
    assert Daemon(instance).tick() == {}


def test_the_cursor_stays_small(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    daemon = Daemon(instance)
    daemon.tick()
    assert len(daemon.cursor or "") < 64 * 1024
