"""Sensor `finished_bots`: requests exactly the days of which Recall.ai says something that is not on file yet."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import dagster as dg

from recall_pipeline.days import utc_now
from recall_pipeline.defs.jobs import sync_day
from recall_pipeline.defs.priorities import SENSOR_PRIORITY
from recall_pipeline.errors import PipelineError, StorageError
from recall_pipeline.polling import (
    ArchiveState,
    Change,
    EventLookups,
    PollCursor,
    PollResult,
    look_up_events,
    lookups_per_tick,
    pages_per_tick,
    poll_listings,
    tick_seconds,
)
from recall_pipeline.recall_api import BudgetShare, RetryPolicy, open_client
from recall_pipeline.settings import Settings, load_settings
from recall_pipeline.storage import Archive, open_archive
from recall_pipeline.webhooks import Event, EventStore

_LOOK_SECONDS = 10  # a tick is over well before the minute that Dagster gives it
_RETRY_POLICY = RetryPolicy(attempts=3, deadline_seconds=5, longest_wait_seconds=2)
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
    now, place = utc_now(), PollCursor.from_json(context.cursor)
    try:
        settings = load_settings()
        archive = open_archive(settings)
        tick = _tick(settings, archive, place, now)
        requests = [tick.request(day) for day in tick.days if not tick.is_met(context.instance, day)]
        said = tick.said + _archive_events(settings, archive, tick)
    except PipelineError as error:
        return dg.SkipReason(str(error))
    context.log.info(said)
    return dg.SensorResult(requests, cursor=place.to_json(), skip_reason=None if requests else said)


@dataclass(frozen=True, slots=True)
class _Tick:
    """What a tick brought: news told by events, and news seen in listings."""

    settings: Settings
    now: datetime
    told: EventLookups
    looked: PollResult
    heard: Sequence[Change]
    seen: Sequence[Change]

    @property
    def days(self) -> list[date]:
        """The days with news."""
        found = {one.day for one in (*self.heard, *self.seen)}
        return sorted(day for day in found if self.settings.start_date <= day <= self.now.date())

    @property
    def said(self) -> str:
        """What it came to, in a line."""
        trouble = self.told.error or self.looked.error
        said = f"{self.looked.pages} pages read, {len(self.days)} days with news"
        return f"{said}; {trouble}" if trouble else said

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
        run_key = f"{day}:{digest}:{self.now:%Y-%m-%dT%H}"
        return dg.RunRequest(run_key=run_key, partition_key=day.isoformat(), tags=SENSOR_PRIORITY)


def _tick(settings: Settings, archive: Archive, place: PollCursor, now: datetime) -> _Tick:
    """Ask about the events that wait, look on in the listings, and hold both against what is on file."""
    told = _hear(settings, archive)
    looked, archive_state = asyncio.run(_poll(settings, place, now)), ArchiveState(archive)
    return _Tick(
        settings,
        now,
        told,
        looked,
        [*archive_state.changes_in(told.listed)],
        [*archive_state.changes_in(looked.listed)],
    )


def _hear(settings: Settings, archive: Archive) -> EventLookups:
    """Ask about the events that wait; trouble with them is reported, and never stops the look at the listings."""
    if settings.webhook_secret is None:  # none are received without a secret
        return EventLookups([], [])
    try:
        events = EventStore(archive).pending()
        return asyncio.run(_look_up(settings, events)) if events else EventLookups([], [])
    except StorageError as error:
        return EventLookups([], [], str(error))


async def _look_up(settings: Settings, events: Sequence[Event]) -> EventLookups:
    share = lookups_per_tick(settings, tick_seconds(settings))
    async with open_client(settings, _RETRY_POLICY, lambda budget: BudgetShare(budget, share)) as client:
        return await look_up_events(client, events, share, asyncio.get_running_loop().time() + _LOOK_SECONDS)


async def _poll(settings: Settings, place: PollCursor, now: datetime) -> PollResult:
    share = pages_per_tick(settings)
    async with open_client(settings, _RETRY_POLICY, lambda budget: BudgetShare(budget, share)) as client:
        return await poll_listings(client, settings, place, now, asyncio.get_running_loop().time() + _LOOK_SECONDS)


def _archive_events(settings: Settings, archive: Archive, tick: _Tick) -> str:
    """Drain what was heard, sweep what was drained long ago, and count both."""
    if settings.webhook_secret is None:
        return ""
    inbox, today = EventStore(archive), tick.now.date()
    try:
        inbox.mark_consumed(tick.told.done, today)
        pending, removed = inbox.pending_count(), inbox.remove_expired(today)
        return f"; {len(tick.told.done)} events heard, {pending} wait, {removed} old ones removed"
    except StorageError as error:
        return f"; events wait: {error}"
