"""`sandbox`: serve the local Recall API alone."""

import contextlib

import click

from recall_pipeline.days import utc_now
from recall_pipeline.sandbox import Sandbox, demo_world


@click.command("sandbox")
@click.option("--port", type=click.IntRange(0, 65535), default=8100, show_default=True, help="0: any free one.")
def command(port: int) -> None:
    """Serve a Recall.ai on loopback with a few days of meetings, until interrupted."""
    sandbox = Sandbox(demo_world(utc_now().date()), api_port=port)
    with contextlib.suppress(KeyboardInterrupt):  # the way to end it
        sandbox.serve_forever(_announce)


def _announce(sandbox: Sandbox) -> None:
    click.echo(f"Serving a Recall API on loopback. In another terminal:\n\n  export RECALL_API_URL={sandbox.api_url}")
    click.echo(f"  export RECALL_API_KEY={sandbox.api_key}\n  recall-pipeline sync\n\nStop with Ctrl-C.")
