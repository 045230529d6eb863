"""`ui`: Dagster's own UI on the demo's data, with the sandbox behind it."""

import signal
import subprocess
import sys
from pathlib import Path

import click

from recall_pipeline.cli.demo import run_demo
from recall_pipeline.cli.demo_folder import DemoFolder
from recall_pipeline.days import utc_now
from recall_pipeline.settings import project_folder
from recall_sandbox import Sandbox, demo_world


@click.command("ui")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Of Dagster's UI.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="The demo's.  [default: demo beside workspace.yaml]",
)
def ui_command(port: int, folder: Path | None) -> int:
    """Open Dagster on the demo's data (made first if there is none), until interrupted."""
    place = DemoFolder.at(folder)
    if place.made_on is None:
        run_demo(place)
    world = demo_world(place.made_on or utc_now().date())
    with Sandbox(world).running() as sandbox, place.environment(sandbox):
        click.echo(f"Dagster on the demo's data: http://127.0.0.1:{port}  (stop with Ctrl-C)")
        return _serve_dagster(port, place.folder)


def _serve_dagster(port: int, folder: Path) -> int:
    """Run `dagster dev`, from the demo's folder so that no `.env` of the user's is read; end it when told to."""
    workspace = str(project_folder() / "workspace.yaml")
    program = [
        sys.executable,
        "-W",
        "ignore:Function `dev_command` is superseded",
        "-m",
        "dagster",
        "dev",
        "--workspace",
        workspace,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    with subprocess.Popen(program, cwd=folder) as dagster:  # noqa: S603 -- our own interpreter and arguments
        for asked in (signal.SIGINT, signal.SIGTERM):
            signal.signal(asked, lambda *_: dagster.send_signal(signal.SIGINT))
        return dagster.wait()
