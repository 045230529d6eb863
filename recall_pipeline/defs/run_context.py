"""Context of one run, shared by its steps: settings, archive, listings, and counts for the summary."""

import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import dagster as dg

from recall_pipeline.defs.partitions import days_of_run
from recall_pipeline.defs.run_liveness import process_tags
from recall_pipeline.defs.run_watch import interrupted_when_ended
from recall_pipeline.defs.wait_log import waits_logged_by
from recall_pipeline.discovery import refuse_vanished
from recall_pipeline.download import HostBreakers
from recall_pipeline.errors import PipelineError
from recall_pipeline.progress import StepProgress, no_step_progress
from recall_pipeline.recall_api import Listings, RecallClient, Upstream, open_client
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, ArchiveDay, check_identity, open_archive, record_identity
from recall_pipeline.webhooks import EventStore

_REFETCH = "recall_pipeline/refetch"
_MOST_REFETCHED = 100  # recordings of a run, since they are in one tag
INTERRUPTED = "interrupted"
"""Description of the Failure of a step that the user interrupted."""


@dataclass(slots=True)
class SyncStats:
    """Counts of what was done so far."""

    api_requests: int = 0
    downloaded: int = 0
    reused: int = 0
    bytes_downloaded: int = 0
    normalized: int = 0


@contextlib.contextmanager
def as_dagster_failure(*, may_retry: bool = True) -> Iterator[None]:
    """Turn every error into Dagster's Failure. Only a PipelineError whose `retry_can_help` may be retried."""
    try:
        yield
    except PipelineError as error:
        raise dg.Failure(description=str(error), allow_retries=may_retry and error.retry_can_help) from None
    except Exception as unexpected:
        raise dg.Failure(allow_retries=False) from unexpected


@dataclass
class RunContext:
    """Context of one run, or of all runs of one `sync`, which then share their listings.

    `days` are those whose listings are shared. `refetch` has ids of recordings to look up and download again whatever
    their outcome. `normalized_early`: files that the step before the catalog has normalized. `is_interactive`: the user
    waits for the result, so no error is retried by Dagster. `accept_vanished`: many recordings that are gone at once
    are marked as deleted. `breakers` are those of the media hosts.
    """

    settings: Settings
    days: Sequence[date] = ()
    refetch: frozenset[str] = frozenset()
    is_interactive: bool = False
    accept_vanished: bool = False
    progress: StepProgress = no_step_progress
    stats: SyncStats = field(default_factory=SyncStats)
    normalized_early: dict[date, int] = field(default_factory=dict)
    breakers: HostBreakers = field(default_factory=HostBreakers)

    @cached_property
    def archive(self) -> Archive:
        """The archive that the settings name."""
        return open_archive(self.settings)

    @cached_property
    def listings(self) -> Listings:
        """Listings shared by the steps."""
        return Listings(self.days, self.archive.open_staging_folder)

    def close(self) -> None:
        """Free the listings, and remove their file."""
        self.listings.close()

    def progress_callback(self, doing: str) -> Callable[[int, int], None]:
        """Return a callback that reports progress under the name `doing`."""
        return lambda done, total: self.progress(doing, done, total)

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[RecallClient]:
        """Open a client, and add its requests to `stats`. Raises ArchiveRefused for the archive of another API."""
        check_identity(self.archive, self.settings)
        async with open_client(self.settings) as client:
            try:
                yield client
            finally:
                self.stats.api_requests += client.requests

    async def upstream(self, client: RecallClient, day: ArchiveDay) -> Upstream:
        """Return what Recall.ai shows about `day`. The first answer to its key makes the archive that of its API.

        Raises RecordingsVanished before anything is written of a day whose recordings are gone at once.
        """
        found = await self.listings.of(client, day.day)
        if not self.accept_vanished:
            await refuse_vanished(day, found, EventStore(self.archive).deleted_recordings)
        record_identity(self.archive, self.settings)
        return found

    @contextlib.contextmanager
    def as_dagster_failure(self) -> Iterator[None]:
        """Turn every error into Dagster's Failure; in an interactive run an interrupt too, and none is retried."""
        try:
            with as_dagster_failure(may_retry=not self.is_interactive):
                yield
        except (dg.DagsterExecutionInterruptedError, KeyboardInterrupt):
            if not self.is_interactive:
                raise
            # Dagster's retry policy would retry an interrupted step.
            raise dg.Failure(description=INTERRUPTED, allow_retries=False) from None


def refetch_tags(recordings: Collection[str]) -> dict[str, str]:
    """Return the tags of a run that checks these recordings again whatever their outcome: at most 100 of them."""
    return {_REFETCH: ",".join(sorted(recordings)[:_MOST_REFETCHED])}


def refetched_in(tags: Mapping[str, str]) -> frozenset[str]:
    """Return the ids of the recordings that a run with these tags checks again; none without the tag."""
    return frozenset(filter(None, tags.get(_REFETCH, "").split(",")))


class RunContextResource(dg.ConfigurableResource[RunContext]):
    """Context of a run: settings, archive, listings. The days of a range share their walks of the lists."""

    settings: dg.ResourceDependency[Settings]  # a dependency, since Dagster shows the configuration of a resource

    @contextlib.contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[RunContext]:
        """Give the context of a run; at the end of the run, but not of a killed one, its listing is removed.

        What the run waits for is in its log too, not only on standard error.
        """
        with contextlib.ExitStack() as stack:
            stack.enter_context(waits_logged_by(context.log))
            run_context = self.create_resource(context)
            stack.callback(run_context.close)
            if context.run is not None and context.instance is not None:
                stack.enter_context(interrupted_when_ended(context.instance, context.run.run_id))
            yield run_context

    def create_resource(self, context: dg.InitResourceContext) -> RunContext:
        """Return a context for the days of the run, and tag the run with its process."""
        if context.run is None or context.instance is None:
            return RunContext(self.settings)
        context.instance.add_run_tags(context.run.run_id, process_tags())
        return RunContext(self.settings, days_of_run(context.run.tags), refetched_in(context.run.tags))
