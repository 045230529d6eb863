"""Incrementally archive Recall.ai meeting audio: list, download, verify, normalize, catalog.

The packages in the order in which a recording passes through them; each imports only from those above it:

    errors, days, progress, redaction, audio_formats, settings, lazy_imports  errors, UTC days, secrets, settings
    coordination       request budget and locks of all hosts, on Redis or PostgreSQL
    http               the one rule for all HTTP clients: proxies and certificates
    recall_api         async client: retries, rate limits, pagination, typed records
    storage            folders and object stores: paths, atomic writes, Parquet tables, locks
    audit              table of erasures and upstream deletions; no row is ever removed
    webhooks           receiver of Recall's signed webhooks, and the event store
    discovery          the tables `bots` and `recordings` of a day
    audio              decode, measure and normalize audio files
    download           fetch each MP3 with resume, check that it decodes, store it
    catalog            outcome of each recording, the table `audio_catalog`, its readers
    restoration        rebuild lost rows from the rest of the archive
    migration          bring older tables to the present schema and place
    verification       check the archive against its tables
    fixity             read every stored file back within so many days
    erasure            remove recordings for good
    upstream_deletion  delete at Recall what was verified just now
    manifests          manifests for training toolkits
    polling            detect what changed upstream, with a bounded number of requests
    api_probe          how the live service answers, as a report without values
    browse             the archive page: look, listen, search
    defs               Dagster assets, checks, jobs, schedules, sensors, resources
    downstream         the catalog as a Dagster resource, for other code locations
    components         the archive as a component, for Dagster projects of other teams
    definitions        what Dagster loads
    cli                the command line

The package `recall_sandbox` beside this one is a local mock of the Recall.ai API, for the demo, the tests and the docs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recall_pipeline.components import RecallArchiveComponent
    from recall_pipeline.defs import build_definitions
    from recall_pipeline.settings import Settings

__all__ = ["RecallArchiveComponent", "Settings", "build_definitions"]

_PACKAGES = {
    "RecallArchiveComponent": "recall_pipeline.components",
    "Settings": "recall_pipeline.settings",
    "build_definitions": "recall_pipeline.defs",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import recall_pipeline` costs nothing."""
    if name not in _PACKAGES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PACKAGES[name]), name)


def __dir__() -> list[str]:
    """Name the public names, among which `dg` looks for components."""
    return sorted([*globals(), *__all__])
