"""The command `ui`: serve the Dagster UI and the archive page on the demo's data, with the sandbox as its API."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from recall_pipeline.cli.demo import run_demo
from recall_pipeline.cli.demo_folder import DemoFolder
from recall_pipeline.days import utc_now
from recall_pipeline.settings import environment_name, project_folder
from recall_sandbox import Sandbox, demo_world


@click.command("ui")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port of the Dagster UI.")
@click.option(
    "--page-port", type=click.IntRange(1, 65535), default=8300, show_default=True, help="Port of the archive page."
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the demo.  [default: demo beside workspace.yaml]",
)
def ui_command(port: int, page_port: int, folder: Path | None) -> int:
    """Serve the Dagster UI and the archive page on the demo's data, until interrupted.

    Creates the demo if the folder is empty.
    """
    demo = DemoFolder.at(folder)
    if demo.created_on is None:
        run_demo(demo)
    demo.check_format()
    world = demo_world(demo.created_on or utc_now().date())
    with Sandbox(world).running() as sandbox, demo.environment(sandbox):
        page_url = f"http://127.0.0.1:{page_port}"
        os.environ[environment_name("page_url")] = page_url
        click.echo(f"Look and listen, on the archive page: {page_url}")
        click.echo(f"Dagster on the demo's data: http://127.0.0.1:{port}  (stop both with Ctrl-C)")
        with _passing_stop_signals() as pass_to, _archive_page(page_port, demo.folder):
            return _serve_dagster(port, demo.folder, pass_to)


@contextlib.contextmanager
def _archive_page(port: int, folder: Path) -> Iterator[None]:
    """Run `recall-pipeline browse` in a process of its own, without the sandbox's key, until the block ends."""
    program = [sys.executable, "-m", "recall_pipeline", "browse", "--port", str(port)]
    environment = {**os.environ, environment_name("api_key"): ""}
    with subprocess.Popen(program, cwd=folder, env=environment, stdout=subprocess.DEVNULL) as page:  # noqa: S603
        try:
            yield
        finally:
            page.terminate()


def _serve_dagster(port: int, folder: Path, pass_to: Callable[["subprocess.Popen[bytes]"], None]) -> int:
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
    with subprocess.Popen(program, cwd=folder) as dagster:  # noqa: S603 -- our own
        pass_to(dagster)
        return dagster.wait()


@contextlib.contextmanager
def _passing_stop_signals() -> Iterator[Callable[["subprocess.Popen[bytes]"], None]]:
    """Yield a function that names the process which gets the stop signals of this one, also those before the call.

    It gets SIGINT first, then SIGTERM. A shell that starts this command with `&` ignores SIGINT, and a child would
    inherit that: so SIGINT is handled before the child starts.
    """
    children: list[subprocess.Popen[bytes]] = []
    received: list[int] = []

    def stop(number: int, _: object) -> None:
        received.append(number)
        for child in children:
            child.send_signal(signal.SIGINT if len(received) == 1 else signal.SIGTERM)

    def pass_to(child: "subprocess.Popen[bytes]") -> None:
        children.append(child)
        if received:
            child.send_signal(signal.SIGINT)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield pass_to
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
