"""Sensor `finished_bots`: requests exactly the days of which Recall.ai says something that is not on file yet."""

import asyncio
import hashlib
from collections.abc import Iterable
from datetime import date, datetime

import dagster as dg

from recall_pipeline.automation.jobs import sync_day
from recall_pipeline.automation.news import News, OnFile
from recall_pipeline.automation.watching import Place, Seen, look, pages_per_look
from recall_pipeline.days import utc_now
from recall_pipeline.errors import PipelineError
from recall_pipeline.recall import open_client
from recall_pipeline.recall.pacing import BudgetShare
from recall_pipeline.recall.retrying import Patience
from recall_pipeline.settings import Settings, load_settings
from recall_pipeline.storage import open_archive

_LOOK_SECONDS = 10  # a tick is over well before the minute that Dagster gives it
_PATIENCE = Patience(attempts=3, deadline_seconds=5, longest_wait_seconds=2)
_UNFINISHED_RUNS = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


@dg.sensor(
    job=sync_day,
    minimum_interval_seconds=load_settings().sensor_interval_seconds,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Watches Recall.ai for bots that finished and audio that became ready, and syncs their days.",
)
def finished_bots(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Look a little further, and request each day with news unless a run of it waits or runs."""
    now, place = utc_now(), Place.read(context.cursor)
    try:
        settings = load_settings()
        seen = asyncio.run(_look(settings, place, now))
        news = list(OnFile(open_archive(settings)).news_in(seen.listed))
    except PipelineError as error:
        return dg.SkipReason(str(error))
    days = sorted({one.day for one in news if settings.start_date <= one.day <= now.date()})
    requests = [_request(day, news, now) for day in days if not _is_running(context.instance, day)]
    said = f"{seen.pages} pages read, {len(days)} days with news"
    return dg.SensorResult(
        requests,
        cursor=place.written(),
        skip_reason=None if requests else f"{said}; {seen.trouble}" if seen.trouble else said,
    )


async def _look(settings: Settings, place: Place, now: datetime) -> Seen:
    share = pages_per_look(settings)
    async with open_client(settings, _PATIENCE, lambda budget: BudgetShare(budget, share)) as client:
        return await look(client, settings, place, now, asyncio.get_running_loop().time() + _LOOK_SECONDS)


def _request(day: date, news: Iterable[News], now: datetime) -> dg.RunRequest:
    """Ask for a run of `day`; news that a failed run left behind is asked for again, once an hour."""
    facts = "\n".join(sorted(one.fact for one in news if one.day == day))
    digest = hashlib.sha256(facts.encode()).hexdigest()[:16]
    return dg.RunRequest(run_key=f"{day}:{digest}:{now:%Y-%m-%dT%H}", partition_key=day.isoformat())


def _is_running(instance: dg.DagsterInstance, day: date) -> bool:
    """Whether a run of the day waits or runs; what it does not see stays news."""
    unfinished = dg.RunsFilter(
        job_name=sync_day.name, tags={"dagster/partition": day.isoformat()}, statuses=_UNFINISHED_RUNS
    )
    return bool(instance.get_run_ids(unfinished, limit=1))
