"""Sensor `finished_bots`: requests a run for each day on which Recall.ai has what the archive does not have yet."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import dagster as dg

from recall_pipeline.days import utc_now
from recall_pipeline.defs.names import Names
from recall_pipeline.defs.partitions import days_of_run
from recall_pipeline.defs.priorities import SENSOR_PRIORITY
from recall_pipeline.defs.run_context import refetch_tags
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
from recall_pipeline.recall_api import AnyListed, BudgetShare, RetryPolicy, open_client
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, check_identity, open_archive
from recall_pipeline.webhooks import Event, EventStore

_DEADLINE_SECONDS = 10  # a tick ends well within the minute that Dagster gives it
_POLL_DEADLINE_SECONDS = 20  # time for two requests of 8 s each: the first page may need a second one, with dates
_RETRY_POLICY = RetryPolicy(attempts=3, deadline_seconds=5, longest_wait_seconds=2)
_AWAITED_FOR = timedelta(days=1)
"""How long an event requests runs for what the tables do not show."""
_UNFINISHED_RUNS = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def finished_bots_sensor(settings: Settings, names: Names) -> dg.SensorDefinition:
    """Return the sensor `finished_bots`."""

    def request_changed_days(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        return _evaluate(settings, names.of("sync_day"), context)

    return dg.sensor(
        name=names.of("finished_bots"),
        job_name=names.of("sync_day"),
        minimum_interval_seconds=tick_seconds(settings),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Polls Recall.ai for finished bots and new audio, and syncs their days. Webhook events come first.",
    )(request_changed_days)


def _evaluate(settings: Settings, job: str, context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Look up the events that wait, read some pages of the listings, and request each day with changes."""
    now, cursor = utc_now(), PollCursor.from_json(context.cursor)
    try:
        archive = open_archive(settings)
        check_identity(archive, settings)
        tick = _tick(settings, archive, cursor, now)
        covered = tick.days_covered(context.instance, job) if tick.days else set()
        requests = [tick.request(day) for day in tick.days if day not in covered]
        summary = tick.summary + _keep_events(settings, archive, tick)
    except PipelineError as error:
        return dg.SkipReason(str(error))
    context.log.info(summary)
    return dg.SensorResult(requests, cursor=cursor.to_json(), skip_reason=None if requests else summary)


@dataclass(frozen=True, slots=True)
class _Tick:
    """What a tick found: changes that events report, and changes in listings.

    `awaited`: events whose changes the tables do not show yet. `consumed`: events with nothing to wait for.
    """

    settings: Settings
    now: datetime
    events: EventLookups
    poll: PollResult
    event_changes: Sequence[Change]
    listing_changes: Sequence[Change]
    awaited: Sequence[Event]
    consumed: Sequence[Event]

    @property
    def days(self) -> list[date]:
        """The days with changes: partitions, and not older than RECALL_RETENTION_DAYS."""
        found = {change.day for change in (*self.event_changes, *self.listing_changes)}
        days, today = sorted(found), self.now.date()
        kept = [day for day in days if not self.settings.is_past_retention(day, today)]
        return [day for day in kept if self.settings.start_date <= day <= today]

    @property
    def summary(self) -> str:
        """One line for the log."""
        error = self.events.error or self.poll.error
        summary = f"{self.poll.pages} pages read, {len(self.days)} changed days"
        return f"{summary}; {error}" if error else summary

    def days_covered(self, instance: dg.DagsterInstance, job: str) -> set[date]:
        """Return the days of unfinished runs, of a day or of a range, that will see the changes.

        A run that has started may have looked before an event. What it misses in a listing is a change at the next
        tick too.
        """
        days_of_events = {change.day for change in self.event_changes}
        runs = instance.get_runs(dg.RunsFilter(job_name=job, statuses=_UNFINISHED_RUNS))
        waiting, started = set[date](), set[date]()
        for run in runs:
            days = days_of_run(run.tags)
            if run.status == dg.DagsterRunStatus.STARTED:
                started.update(days)
            elif len(days) == 1:  # a range that waits is a backfill, before which the queue runs what is new
                waiting.update(days)
        return waiting | (started - days_of_events)

    def request(self, day: date) -> dg.RunRequest:
        """Return the request for a run of `day`. Changes that a failed run left are requested again once an hour.

        Another event requests a run at once: the run requested before may have looked too early.
        """
        facts = {change.fact for change in (*self.event_changes, *self.listing_changes) if change.day == day}
        facts |= {event.event_id for event in self.awaited if any(change.day == day for change in event.awaited)}
        digest = hashlib.sha256("\n".join(sorted(facts)).encode()).hexdigest()[:16]
        run_key = f"{day}:{digest}:{self.now:%Y-%m-%dT%H}"
        return dg.RunRequest(run_key=run_key, partition_key=day.isoformat(), tags=SENSOR_PRIORITY | self._look_ups(day))

    def _look_ups(self, day: date) -> dict[str, str]:
        """Return the tags by which a run of `day` looks up what the lists of the day do not show."""
        changes = [change for change in (*self.event_changes, *self.listing_changes) if change.day == day]
        recordings = {change.awaited.look_up for change in changes if change.awaited.look_up}
        return refetch_tags(recordings) if recordings else {}


def _tick(settings: Settings, archive: Archive, cursor: PollCursor, now: datetime) -> _Tick:
    """Look up the events that wait, poll the listings, and compare both with the archive."""
    looked_up_before, lookups = _look_up_waiting(settings, archive)
    poll, archive_state = asyncio.run(_poll(settings, cursor, now)), ArchiveState(archive)
    new = [_looked_up(archive_state, event, records, settings, now) for event, records in lookups.done]
    before = [_still_awaited(archive_state, event, now) for event in looked_up_before]
    return _Tick(
        settings,
        now,
        lookups,
        poll,
        [Change.of(change) for event in new for change in event.awaited],
        [*archive_state.changes_in(poll.listed), *(Change.of(change) for event in before for change in event.awaited)],
        awaited=[event for event in (*before, *new) if event.awaited],
        consumed=[event for event in (*before, *new) if not event.awaited],
    )


def _looked_up(
    state: ArchiveState, event: Event, records: Sequence[AnyListed], settings: Settings, now: datetime
) -> Event:
    """Return the event with the changes that its lookup showed, as far as a run can archive them."""
    changes = [change.awaited for change in state.changes_in(records)]
    return replace(event, awaited=tuple(c for c in changes if settings.start_date <= c.day <= now.date()))


def _still_awaited(state: ArchiveState, event: Event, now: datetime) -> Event:
    """Return the event with the changes that the tables do not show; with none a day after its arrival."""
    is_old = abs(now - event.received_at) > _AWAITED_FOR
    return replace(event, awaited=() if is_old else tuple(c for c in event.awaited if not state.shows(c)))


def _look_up_waiting(settings: Settings, archive: Archive) -> tuple[list[Event], EventLookups]:
    """Return the events that were looked up before, and look up the others.

    An error with them is reported, and never stops the poll of the listings.
    """
    if settings.webhook_secret is None:  # none are received without a secret
        return [], EventLookups([])
    try:
        store = EventStore(archive)
        events = store.pending()
        return store.awaited(), asyncio.run(_look_up(settings, events)) if events else EventLookups([])
    except StorageError as error:
        return [], EventLookups([], str(error))


async def _look_up(settings: Settings, events: Sequence[Event]) -> EventLookups:
    share = lookups_per_tick(settings, tick_seconds(settings))
    async with open_client(settings, _RETRY_POLICY, lambda budget: BudgetShare(budget, share)) as client:
        return await look_up_events(client, events, share, asyncio.get_running_loop().time() + _DEADLINE_SECONDS)


async def _poll(settings: Settings, cursor: PollCursor, now: datetime) -> PollResult:
    share = pages_per_tick(settings)
    async with open_client(settings, _RETRY_POLICY, lambda budget: BudgetShare(budget, share)) as client:
        deadline = asyncio.get_running_loop().time() + _POLL_DEADLINE_SECONDS
        return await poll_listings(client, settings, cursor, now, deadline)


def _keep_events(settings: Settings, archive: Archive, tick: _Tick) -> str:
    """Keep the events whose changes the tables do not show yet, archive the others, and return the counts."""
    if settings.webhook_secret is None:
        return ""
    store, today = EventStore(archive), tick.now.date()
    try:
        store.set_awaited(tick.awaited)
        store.mark_consumed(tick.consumed, today)
        pending, removed = store.pending_count(), store.remove_expired(today)
        return f"; {len(tick.consumed)} events consumed, {pending} pending, {removed} expired ones removed"
    except StorageError as error:
        return f"; events wait: {error}"
