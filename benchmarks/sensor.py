"""How the sensor `finished_bots` behaves on a large workspace: `python -m benchmarks.sensor [--bots N] [--json]`.

Builds a sandbox with N bots over a lookback of seven days, a tenth of them in the last 48 hours, 100 per page. Writes
them to the tables as a sync would, and then ticks. With the default budget it ticks until the two days are read, with a
raised budget until the whole lookback is read. Each tick gets a minute of its own, as five minutes apart it would have.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import dagster as dg

from recall_pipeline.days import days_between, utc_now
from recall_pipeline.defs import build_definitions
from recall_pipeline.discovery import sync_bots, sync_recordings
from recall_pipeline.download import MIXED_AUDIO, MixedAudioRow
from recall_pipeline.download.artifacts import find_artifacts
from recall_pipeline.download.rows import ARCHIVED
from recall_pipeline.polling.listing_poll import pages_per_tick, ticks_until_seen
from recall_pipeline.recall_api import Upstream, open_client
from recall_pipeline.recall_api.day_listing import list_days
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, open_archive, open_day
from recall_sandbox import Sandbox, World
from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording, SandboxStatusChange
from recall_sandbox.speech import Speech

LOOKBACK_DAYS = 7
PAGE_SIZE = 100
TALK = Speech(10)
LISTS = ("bot", "recording", "audio_mixed")


@dataclass
class Measured:
    """One way of ticking: duration of a tick, its requests, and the ticks until a change was requested."""

    budget_rpm: int
    share_per_tick: int
    ticks: int
    slowest_tick_seconds: float
    most_requests_to_an_endpoint: int
    largest_cursor_bytes: int
    ticks_to_see_recent_change: int | None
    ticks_to_see_old_change: int | None
    most_ticks_for_recent_change: int
    most_ticks_for_old_change: int
    wrong_requests: int


def main() -> None:
    """Run the benchmark and print its table or one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bots", type=int, default=100_000)
    parser.add_argument("--raised-rpm", type=int, default=5_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = run(options.bots, options.raised_rpm, Path(folder))
    if options.json:
        print(json.dumps({"bots": options.bots, "results": [asdict(result) for result in results]}))
        return
    for result in results:
        print(f"\n{options.bots:,} bots, budget {result.budget_rpm} requests a minute and endpoint")
        for name, value in asdict(result).items():
            print(f"  {name:32} {value if value is not None else 'not within these ticks'}")


def run(bots: int, raised_rpm: int, folder: Path) -> list[Measured]:
    """Build the workspace once, and measure both budgets on it."""
    world, recent, old = workspace(bots)
    recent_pages = -(-bots // 10 // PAGE_SIZE)
    pages = recent_pages, -(-bots // PAGE_SIZE) - recent_pages
    hot_ticks, _ = ticks_until_seen(Settings(list_rpm=50), *pages)
    sandbox = Sandbox(world, page_size=PAGE_SIZE, list_per_minute=None, object_per_minute=None)
    with sandbox.running():
        common = {
            "RECALL_API_URL": sandbox.api_url,
            "RECALL_API_KEY": sandbox.api_key,
            "RECALL_STORAGE_URL": str(folder / "data"),
            "RECALL_LIST_RPM": "1000000",
            "DAGSTER_HOME": str(folder / "home"),
        }
        with environment(**common):
            archive = open_archive(Settings.from_environment())
            file_everything(archive)
            default = measure(sandbox, folder / "default", 50, recent[0], old[0], pages, ticks=hot_ticks + 2)
            file_everything(archive)
            raised = measure(sandbox, folder / "raised", raised_rpm, recent[1], old[1], pages, ticks=12)
    return [default, raised]


def workspace(count: int) -> tuple[World, list[str], list[str]]:
    """Return a world of `count` finished bots, and ids of unfinished artifacts, recent ones and old ones."""
    world, now = World(), utc_now().replace(microsecond=0)
    recent_count = count // 10
    for number in range(count):
        is_recent = number < recent_count
        span = timedelta(hours=46) if is_recent else timedelta(days=LOOKBACK_DAYS, hours=-50)
        share = number / recent_count if is_recent else (number - recent_count) / (count - recent_count)
        start = now - (timedelta(hours=1) if is_recent else timedelta(hours=49)) - span * share
        world.add(*_meeting(number, start, unfinished=number in (1, 2, recent_count + 1, recent_count + 2)))
    return world, [_id(number, 3) for number in (1, 2)], [_id(recent_count + number, 3) for number in (1, 2)]


def _meeting(number: int, start: datetime, *, unfinished: bool) -> Iterator[SandboxBot | SandboxRecording | Artifact]:
    """Yield a finished meeting of half an hour; its MP3 is still processing if `unfinished`."""
    bot_id, recording_id, audio_id = (_id(number, kind) for kind in (1, 2, 3))
    end = start + timedelta(minutes=30)
    history = (SandboxStatusChange("joining_call", start), SandboxStatusChange("done", end))
    yield SandboxBot(
        bot_id, "Archive Bot", "zoom", {"meeting_id": str(number), "platform": "zoom"}, None, start, history
    )
    yield SandboxRecording(recording_id, bot_id, start, start, end, end, shortcut_id=audio_id)
    status = "processing" if unfinished else "done"
    yield Artifact(audio_id, recording_id, start, end, None if unfinished else TALK, status)


def _id(number: int, kind: int) -> str:
    return str(UUID(int=(kind << 64) + number + 1))


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Set environment variables until the block ends: the sensor reads its settings there."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def file_everything(archive: Archive) -> None:
    """Write the tables of the whole lookback as a sync does, without the audio."""

    async def file() -> None:
        async with open_client(Settings.from_environment()) as client:
            today = utc_now().date()
            listing = await list_days(client, today - timedelta(days=LOOKBACK_DAYS + 1), today)
            upstream = Upstream(client, listing)
            for day in days_between(listing.first, listing.last):
                with open_day(archive, day) as archive_day:
                    await sync_bots(archive_day, upstream)
                    await sync_recordings(archive_day, upstream)
                    rows, _ = await find_artifacts(archive_day, upstream)
                    archive_day.write(MIXED_AUDIO, map(_as_captured, rows))

    asyncio.run(file())


def _as_captured(row: MixedAudioRow) -> MixedAudioRow:
    return replace(row, state=ARCHIVED, captured_updated_at=row.updated_at) if row.is_offered else row


def measure(
    sandbox: Sandbox, folder: Path, rpm: int, recent: str, old: str, pages: tuple[int, int], ticks: int
) -> Measured:
    """Complete a recent and an old MP3, tick, and measure when their days are requested."""
    for audio_id in (recent, old):
        sandbox.world.finish_artifact(audio_id, TALK)
    days = {name: _day_of(sandbox, audio_id) for name, audio_id in (("recent", recent), ("old", old))}
    seen_at: dict[str, int] = {}
    slowest = most = largest = wrong = 0.0
    cursor: str | None = None
    with dg.DagsterInstance.ephemeral() as instance:
        for tick in range(1, ticks + 1):
            sandbox.access_log.clear()
            with environment(RECALL_LIST_RPM=str(rpm), DAGSTER_HOME=str(folder / str(tick))):
                definitions = build_definitions(Settings.from_environment())
                sensor = definitions.get_repository_def().get_sensor_def("finished_bots")
                started = time.perf_counter()
                result = sensor(dg.build_sensor_context(instance=instance, cursor=cursor))
                slowest = max(slowest, time.perf_counter() - started)
            assert isinstance(result, dg.SensorResult), result
            cursor = result.cursor
            asked = {str(request.partition_key) for request in result.run_requests or []}
            wrong += len(asked - {day.isoformat() for day in days.values()})
            for name, day in days.items():
                if day.isoformat() in asked:
                    seen_at.setdefault(name, tick)
            lists = [len(sandbox.access_log.only(path=f"/api/v1/{name}/")) for name in LISTS]
            most, largest = max(most, *lists), max(largest, len(cursor or ""))
    with environment(RECALL_LIST_RPM=str(rpm)):
        share, most_ticks = pages_per_tick(Settings()), ticks_until_seen(Settings(), *pages)
    return Measured(
        rpm,
        share,
        ticks,
        round(slowest, 2),
        int(most),
        int(largest),
        seen_at.get("recent"),
        seen_at.get("old"),
        *most_ticks,
        int(wrong),
    )


def _day_of(sandbox: Sandbox, audio_id: str) -> date:
    artifact = sandbox.world.artifacts.get(audio_id)
    assert artifact is not None
    return artifact.created_at.date()


if __name__ == "__main__":
    main()
