"""The command `ui`: serve the Dagster UI on the demo's data, with the sandbox as its API."""

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
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port of the Dagster UI.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the demo.  [default: demo beside workspace.yaml]",
)
def ui_command(port: int, folder: Path | None) -> int:
    """Serve the Dagster UI on the demo's data, until interrupted. Creates the demo if the folder is empty."""
    demo = DemoFolder.at(folder)
    if demo.created_on is None:
        run_demo(demo)
    world = demo_world(demo.created_on or utc_now().date())
    with Sandbox(world).running() as sandbox, demo.environment(sandbox):
        click.echo(f"Dagster on the demo's data: http://127.0.0.1:{port}  (stop with Ctrl-C)")
        return _serve_dagster(port, demo.folder)


def _serve_dagster(port: int, folder: Path) -> int:
    """Run `dagster dev` until a stop signal. It runs in the demo's folder, so that it reads no `.env` of the user."""
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
    # A shell that starts this command with `&` ignores SIGINT, and a child inherits that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(program, cwd=folder) as dagster:  # noqa: S603 -- our own interpreter and arguments
        for stop_signal in (signal.SIGINT, signal.SIGTERM):
            signal.signal(stop_signal, lambda *_: dagster.send_signal(signal.SIGINT))
        return dagster.wait()
