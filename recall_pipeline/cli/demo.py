"""`demo`: the main job on the sandbox, from nothing to a catalog, in one folder."""

from pathlib import Path

import click

from recall_pipeline.catalog import read_catalog
from recall_pipeline.cli.catalog import show_catalog
from recall_pipeline.cli.demo_folder import DemoFolder
from recall_pipeline.cli.main import FAILED
from recall_pipeline.cli.progress import progress_bars
from recall_pipeline.cli.running import run_days
from recall_pipeline.cli.summary import failed_downloads, in_words, summarize
from recall_pipeline.days import days_between, utc_now
from recall_pipeline.sandbox import Sandbox, demo_world
from recall_pipeline.settings import load_settings, project_folder
from recall_pipeline.storage import open_archive


@click.command("demo")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where everything goes.  [default: demo beside workspace.yaml]",
)
def command(folder: Path | None) -> int:
    """Sync the sandbox's days and show the catalog. Needs no key and no network, and touches one folder only."""
    return run_demo(DemoFolder(folder or project_folder() / "demo"))


def run_demo(place: DemoFolder) -> int:
    """Begin the demo's folder anew, sync the sandbox's days into it, show the catalog."""
    today = utc_now().date()
    place.begin(today)
    world = demo_world(today)
    days = sorted({row.day for row in world.truth()})
    with Sandbox(world).running() as sandbox, place.environment(sandbox.api_url, sandbox.api_key):
        settings = load_settings()
        archive = open_archive(settings)
        click.echo(f"Syncing {days[0]} to {days[-1]} from a Recall.ai on loopback ...")
        with progress_bars() as progress:
            done = run_days(settings, list(days_between(days[0], days[-1])), frozenset(), progress)
        show_catalog(read_catalog(settings=settings))
        click.echo(in_words(summarize(archive, days, done.tally)))
        failures = [*done.failures.values(), *failed_downloads(archive, days)]
    for line in failures:
        click.echo(line, err=True)
    click.echo(f"\nEverything is in {place.folder}. Look at it in Dagster: make ui")
    return FAILED if failures else 0
