"""`sandbox`: serve the local Recall API alone."""

from contextlib import nullcontext, suppress

import click

from recall_pipeline.days import utc_now
from recall_pipeline.errors import UsageError
from recall_sandbox import PortTaken, Sandbox, demo_world
from recall_sandbox.webhooks import SECRET, DeliveryOptions, Webhooks


@click.command("sandbox")
@click.option("--port", type=click.IntRange(0, 65535), default=8100, show_default=True, help="0: any free one.")
@click.option("--webhooks", "url", help="Tell this URL of everything that happened and happens, by signed webhooks.")
def sandbox_command(port: int, url: str | None) -> None:
    """Serve a Recall.ai on loopback with a few days of meetings, until interrupted."""
    sandbox = Sandbox(demo_world(utc_now().date()), api_port=port)
    telling = (
        Webhooks(sandbox.world, url, options=DeliveryOptions(includes_past=True)).running() if url else nullcontext()
    )
    try:
        with suppress(KeyboardInterrupt), telling:  # the way to end it
            sandbox.serve_forever(lambda serving: _announce(serving, url))
    except PortTaken as taken:
        raise UsageError(str(taken)) from None


def _announce(sandbox: Sandbox, url: str | None) -> None:
    click.echo(f"Serving a Recall API on loopback. In another terminal:\n\n  export RECALL_API_URL={sandbox.api_url}")
    click.echo(f"  export RECALL_API_KEY={sandbox.api_key}\n  recall-pipeline sync\n")
    if url:
        click.echo(f"Telling {url} by webhooks. What receives them knows their secret:\n")
        click.echo(f"  export RECALL_WEBHOOK_SECRET={SECRET}\n  recall-pipeline webhooks\n")
    click.echo("Stop with Ctrl-C.")
