"""`demo`: the main job on the sandbox, from nothing to a catalog, in one folder."""

from pathlib import Path

import click
from rich.filesize import decimal

from recall_pipeline.catalog import read_catalog
from recall_pipeline.cli.catalog import show_catalog
from recall_pipeline.cli.demo_folder import DemoFolder
from recall_pipeline.cli.main import FAILED
from recall_pipeline.cli.progress import progress_bars
from recall_pipeline.cli.run_sync import run_days
from recall_pipeline.cli.summary import failed_downloads
from recall_pipeline.days import days_between, utc_now
from recall_pipeline.settings import load_settings
from recall_pipeline.storage import open_archive
from recall_sandbox import Sandbox, demo_world


@click.command("demo")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where everything goes.  [default: demo beside workspace.yaml]",
)
def demo_command(folder: Path | None) -> int:
    """Sync the sandbox's days and show the catalog. Needs no key and no network, and touches one folder only."""
    return run_demo(DemoFolder.at(folder))


def run_demo(place: DemoFolder) -> int:
    """Begin the demo's folder anew, sync the sandbox's days into it, show the catalog."""
    today = utc_now().date()
    place.begin(today)
    with Sandbox(demo_world(today)).running() as sandbox, place.environment(sandbox):
        settings = load_settings()
        archive = open_archive(settings)
        days = list(days_between(settings.start_date, today))
        click.echo(f"Syncing {days[0]} to {days[-1]} from a Recall.ai on loopback, with all that can go wrong there:\n")
        with progress_bars() as progress:
            done = run_days(settings, days, frozenset(), progress)
        show_catalog(read_catalog(settings=settings))
        faults = done.faults + failed_downloads(archive, days)
    for line in faults:
        click.echo(line, err=True)
    click.echo(
        f"\nDownloaded {done.stats.downloaded} MP3s ({decimal(done.stats.bytes_downloaded)}) with "
        f"{done.stats.api_requests} requests to the API, and normalized {done.stats.normalized}.\n"
        f"Tables and audio are in {place.data}. Look at the runs in Dagster: {place.ui_command}"
    )
    return FAILED if faults else 0
