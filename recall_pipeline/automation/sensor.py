"""Sensor `finished_bots`: requests exactly the days of which Recall.ai says something that is not on file yet."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import dagster as dg

from recall_pipeline.automation.hearing import Heard, asks_per_tick, hear
from recall_pipeline.automation.jobs import sync_day
from recall_pipeline.automation.news import News, OnFile
from recall_pipeline.automation.watching import Place, Seen, look, pages_per_look, tick_seconds
from recall_pipeline.days import utc_now
from recall_pipeline.errors import PipelineError
from recall_pipeline.inbox import Event, Inbox
from recall_pipeline.recall import open_client
from recall_pipeline.recall.pacing import BudgetShare
from recall_pipeline.recall.retrying import Patience
from recall_pipeline.settings import Settings, load_settings
from recall_pipeline.storage import open_archive

_LOOK_SECONDS = 10  # a tick is over well before the minute that Dagster gives it
_PATIENCE = Patience(attempts=3, deadline_seconds=5, longest_wait_seconds=2)
_WAITING_RUNS = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING]
_UNFINISHED_RUNS = [*_WAITING_RUNS, dg.DagsterRunStatus.STARTED]


@dg.sensor(
    job=sync_day,
    minimum_interval_seconds=tick_seconds(load_settings()),
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Watches Recall.ai for bots that finished and audio that became ready, and syncs their days; hears its "
    "webhooks first where they are received.",
)
def finished_bots(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Hear what events tell, look a little further, and request each day with news."""
    now, place = utc_now(), Place.read(context.cursor)
    try:
        settings = load_settings()
        archive = open_archive(settings)
        on_file, inbox = OnFile(archive), Inbox(archive)
        told = _hear(settings, inbox)
        seen = asyncio.run(_look(settings, place, now))
        heard_news, seen_news = list(on_file.news_in(told.listed)), list(on_file.news_in(seen.listed))
        wanted = _Wanted(settings, now, told, heard_news, seen_news)
        requests = [wanted.request(day) for day in wanted.days if not wanted.is_met(context.instance, day)]
        inbox.drain(told.done, now.date())
        swept = inbox.sweep(now.date()) if settings.webhook_secret else 0
    except PipelineError as error:
        return dg.SkipReason(str(error))
    said = f"{seen.pages} pages read, {len(wanted.days)} days with news"
    if settings.webhook_secret:
        said = f"{len(told.done)} events heard, {inbox.count()} wait, {swept} old ones removed; {said}"
    trouble = told.trouble or seen.trouble
    said = f"{said}; {trouble}" if trouble else said
    context.log.info(said)
    return dg.SensorResult(requests, cursor=place.written(), skip_reason=None if requests else said)


def _hear(settings: Settings, inbox: Inbox) -> Heard:
    """Ask about the events that wait; none are received without a secret."""
    events = inbox.waiting() if settings.webhook_secret else []
    return asyncio.run(_ask(settings, events)) if events else Heard([], [])


async def _ask(settings: Settings, events: Sequence[Event]) -> Heard:
    share = asks_per_tick(settings, tick_seconds(settings))
    async with open_client(settings, _PATIENCE, lambda budget: BudgetShare(budget, share)) as client:
        return await hear(client, events, share, asyncio.get_running_loop().time() + _LOOK_SECONDS)


async def _look(settings: Settings, place: Place, now: datetime) -> Seen:
    share = pages_per_look(settings)
    async with open_client(settings, _PATIENCE, lambda budget: BudgetShare(budget, share)) as client:
        return await look(client, settings, place, now, asyncio.get_running_loop().time() + _LOOK_SECONDS)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The days with news, told by an event or seen in a listing."""

    settings: Settings
    now: datetime
    told: Heard
    heard: Sequence[News]
    seen: Sequence[News]

    @property
    def days(self) -> list[date]:
        found = {one.day for one in (*self.heard, *self.seen)}
        return sorted(day for day in found if self.settings.start_date <= day <= self.now.date())

    def is_met(self, instance: dg.DagsterInstance, day: date) -> bool:
        """Whether a run of the day will see its news; what one that runs does not see stays news in a listing only."""
        is_told = any(one.day == day for one in self.heard)
        unfinished = dg.RunsFilter(
            job_name=sync_day.name,
            tags={"dagster/partition": day.isoformat()},
            statuses=_WAITING_RUNS if is_told else _UNFINISHED_RUNS,
        )
        return bool(instance.get_run_ids(unfinished, limit=1))

    def request(self, day: date) -> dg.RunRequest:
        """Ask for a run of `day`; news that a failed run left behind is asked for again, once an hour.

        Another event asks again at once: the run that the one before asked for may have looked too early.
        """
        facts = {one.fact for one in (*self.heard, *self.seen) if one.day == day}
        if any(one.day == day for one in self.heard):
            facts |= {event.event_id for event in self.told.done}
        digest = hashlib.sha256("\n".join(sorted(facts)).encode()).hexdigest()[:16]
        return dg.RunRequest(run_key=f"{day}:{digest}:{self.now:%Y-%m-%dT%H}", partition_key=day.isoformat())
