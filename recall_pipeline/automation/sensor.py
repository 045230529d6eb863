"""Sensor `finished_bots`: requests the days in which a bot finished or audio became ready.

Each tick lists the last two days and compares what is finished there with what it saw before, by a digest a day.
"""

import asyncio
import hashlib
import json
from collections.abc import Iterator
from datetime import date

import dagster as dg

from recall_pipeline.automation.jobs import sync_day
from recall_pipeline.days import ONE_DAY, days_between, utc_now
from recall_pipeline.errors import PipelineError
from recall_pipeline.recall import AudioMixed, Listing, Recording, open_client
from recall_pipeline.recall.listing import list_days
from recall_pipeline.settings import Settings, load_settings

_WATCHED_DAYS = 2
_TICK_SECONDS = 45  # Dagster gives a tick 60
_TERMINAL = frozenset({"done", "failed", "deleted"})
_UNFINISHED_RUNS = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]

Seen = dict[str, str]
"""Digest of what was finished, by day."""


@dg.sensor(
    job=sync_day,
    minimum_interval_seconds=load_settings().sensor_interval_seconds,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Watches Recall.ai for bots that finished and audio that became ready, and syncs their days.",
)
def finished_bots(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Request each day whose finished recordings changed since they were last requested."""
    settings = load_settings()
    try:
        listing = asyncio.run(_look(settings))
    except PipelineError as error:
        return dg.SkipReason(str(error))
    except TimeoutError:
        return dg.SkipReason(
            f"Recall.ai did not list the last days within {_TICK_SECONDS} s; the next tick tries again"
        )
    seen = _read_cursor(context.cursor)
    found = dict(_digests(listing, settings.start_date))
    changed = {
        day: digest for day, digest in found.items() if seen.get(day) != digest and not _is_running(context, day)
    }
    requests = [dg.RunRequest(run_key=f"{day}:{digest}", partition_key=day) for day, digest in changed.items()]
    kept = {day: digest for day, digest in (seen | changed).items() if day in found}
    return dg.SensorResult(requests, cursor=json.dumps(kept), skip_reason=None if requests else "nothing new finished")


async def _look(settings: Settings) -> Listing:
    today = utc_now().date()
    async with asyncio.timeout(_TICK_SECONDS), open_client(settings) as client:
        return await list_days(client, today - _WATCHED_DAYS * ONE_DAY, today)


def _digests(listing: Listing, start_date: date) -> Iterator[tuple[str, str]]:
    """Yield each day on which something is finished, with a digest of what."""
    artifacts = listing.artifacts_by_recording()
    finished_bots_of = {bot.id for bot in listing.bots.values() if bot.is_finished}
    for day in days_between(max(listing.first, start_date), listing.last):
        facts = []
        for recording in listing.recordings_of(day):
            bot_finished = recording.bot is not None and recording.bot.id in finished_bots_of
            shown: list[Recording | AudioMixed] = [recording, *artifacts.get(recording.id, {}).values()]
            facts += [_fact(item) for item in shown if bot_finished or item.status.code in _TERMINAL]
        if facts:
            yield day.isoformat(), hashlib.sha256("\n".join(sorted(facts)).encode()).hexdigest()[:16]


def _fact(item: Recording | AudioMixed) -> str:
    return f"{item.id} {item.status.code} {item.status.updated_at}"


def _is_running(context: dg.SensorEvaluationContext, day: str) -> bool:
    """Whether a run of the day waits or runs: what it does not see, the next tick requests."""
    unfinished = dg.RunsFilter(job_name=sync_day.name, tags={"dagster/partition": day}, statuses=_UNFINISHED_RUNS)
    return bool(context.instance.get_run_ids(unfinished, limit=1))


def _read_cursor(cursor: str | None) -> Seen:
    try:
        read = json.loads(cursor or "{}")
    except ValueError:
        return {}
    return {str(day): str(digest) for day, digest in read.items()} if isinstance(read, dict) else {}
