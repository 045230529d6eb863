"""The command `demo`: run the main job on the sandbox, in a folder of its own."""

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
    help="Folder of the demo.  [default: demo beside workspace.yaml]",
)
def demo_command(folder: Path | None) -> int:
    """Sync the sandbox's days and show the catalog. Needs no API key and no network; writes to one folder only."""
    return run_demo(DemoFolder.at(folder))


def run_demo(demo: DemoFolder) -> int:
    """Recreate the folder of the demo, sync the sandbox's days into it, show the catalog; return the exit status."""
    today = utc_now().date()
    demo.create(today)
    with Sandbox(demo_world(today)).running() as sandbox, demo.environment(sandbox):
        settings = load_settings()
        archive = open_archive(settings)
        days = list(days_between(settings.start_date, today))
        click.echo(f"Syncing {days[0]} to {days[-1]} from the sandbox, with simulated failures:\n")
        with progress_bars() as progress:
            done = run_days(settings, days, frozenset(), progress)
        show_catalog(read_catalog(settings=settings))
        error_lines = done.error_lines + failed_downloads(archive, days)
    for line in error_lines:
        click.echo(line, err=True)
    click.echo(
        f"\nDownloaded {done.stats.downloaded} MP3s ({decimal(done.stats.bytes_downloaded)}) with "
        f"{done.stats.api_requests} requests to the API, and normalized {done.stats.normalized}.\n"
        f"Tables and audio are in {demo.data}. To hear the meetings, and to see the runs in Dagster: "
        f"{demo.ui_command}"
    )
    return FAILED if error_lines else 0
