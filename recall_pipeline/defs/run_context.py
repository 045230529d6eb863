"""What the steps of one run share: settings, archive, listings, and the count of what was done."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import dagster as dg

from recall_pipeline.defs.partitions import days_of_run
from recall_pipeline.defs.run_liveness import process_tags
from recall_pipeline.errors import PipelineError
from recall_pipeline.progress import StepProgress, no_step_progress
from recall_pipeline.recall_api import Listings, RecallClient, open_client
from recall_pipeline.settings import Settings, load_settings
from recall_pipeline.storage import Archive, open_archive

INTERRUPTED = "interrupted"
"""What a step says that a person ended."""


@dataclass(slots=True)
class SyncStats:
    """What was done so far."""

    api_requests: int = 0
    downloaded: int = 0
    reused: int = 0
    bytes_downloaded: int = 0
    normalized: int = 0


@contextlib.contextmanager
def as_dagster_failure(*, may_retry: bool = True) -> Iterator[None]:
    """Turn every error into Dagster's Failure, tried again only where that can help: never one nobody foresaw."""
    try:
        yield
    except PipelineError as error:
        raise dg.Failure(description=str(error), allow_retries=may_retry and error.retry_can_help) from None
    except Exception as unforeseen:
        raise dg.Failure(allow_retries=False) from unforeseen


@dataclass
class RunContext:
    """One run, or the runs of one `sync`, which then share their listings.

    `again` names recordings to look at whatever their outcome; `is_interactive` leaves trying again to the person.
    """

    settings: Settings = field(default_factory=load_settings)
    days: Sequence[date] = ()
    refetch: frozenset[str] = frozenset()
    is_interactive: bool = False
    progress: StepProgress = no_step_progress
    stats: SyncStats = field(default_factory=SyncStats)

    @cached_property
    def archive(self) -> Archive:
        """The archive that the settings name."""
        return open_archive(self.settings)

    @cached_property
    def listings(self) -> Listings:
        """Listings shared by the steps."""
        return Listings(self.days)

    def progress_callback(self, doing: str) -> Callable[[int, int], None]:
        """Return a callback that reports progress under the name of what is going on."""
        return lambda done, total: self.progress(doing, done, total)

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[RecallClient]:
        """Open a client, and count its requests."""
        async with open_client(self.settings) as client:
            try:
                yield client
            finally:
                self.stats.api_requests += client.requests

    @contextlib.contextmanager
    def as_dagster_failure(self) -> Iterator[None]:
        """Turn every error into Dagster's Failure; where a person looks on, an interrupt too, and none is retried."""
        try:
            with as_dagster_failure(may_retry=not self.is_interactive):
                yield
        except (dg.DagsterExecutionInterruptedError, KeyboardInterrupt):
            if not self.is_interactive:
                raise
            # Dagster's retry policy would take an interrupt for one more reason to try again.
            raise dg.Failure(description=INTERRUPTED, allow_retries=False) from None


@dg.resource(description="What the steps of one run share: settings, archive, listings.")
def run_context_resource(context: dg.InitResourceContext) -> RunContext:
    """Open a session for one run, whose days share their walks; the settings are read when the run starts."""
    if context.run is None or context.instance is None:
        return RunContext()
    context.instance.add_run_tags(context.run.run_id, process_tags())
    return RunContext(days=days_of_run(context.run.tags))


RETRY_TRANSIENT = dg.RetryPolicy(max_retries=3, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
"""For errors whose `retry_can_help`; permanent ones forbid it."""
