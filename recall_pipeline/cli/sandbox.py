"""The command `sandbox`: serve the local mock of the Recall.ai API."""

from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import click

from recall_pipeline.days import utc_now
from recall_pipeline.errors import UsageError
from recall_sandbox import NotAReport, PortTaken, Sandbox, demo_world, read_report, switches_like
from recall_sandbox.webhooks import SECRET, DeliveryOptions, Webhooks


@click.command("sandbox")
@click.option("--port", type=click.IntRange(0, 65535), default=8100, show_default=True, help="0: any free port.")
@click.option("--webhooks", "url", help="Send signed webhooks about past and new events to this URL.")
@click.option(
    "--like",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="REPORT",
    help="Answer as a report of `doctor --probe` says.",
)
def sandbox_command(port: int, url: str | None, like: Path | None) -> None:
    """Serve a local mock of the Recall.ai API, with a few days of sample meetings, until interrupted."""
    sandbox = Sandbox(demo_world(utc_now().date()), api_port=port, **_switches(like))
    sender = (
        Webhooks(sandbox.world, url, options=DeliveryOptions(includes_past=True)).running() if url else nullcontext()
    )
    try:
        with suppress(KeyboardInterrupt), sender:  # Ctrl-C is the regular end
            sandbox.serve_forever(lambda serving: _announce(serving, url))
    except PortTaken as taken:
        raise UsageError(str(taken)) from None


def _switches(like: Path | None) -> dict[str, Any]:
    try:
        return switches_like(read_report(like)) if like else {}
    except NotAReport as error:
        raise UsageError(str(error)) from None


def _announce(sandbox: Sandbox, url: str | None) -> None:
    click.echo(
        f"Serving a mock of the Recall.ai API. In another terminal:\n\n  export RECALL_API_URL={sandbox.api_url}"
    )
    click.echo(f"  export RECALL_API_KEY={sandbox.api_key}\n  recall-pipeline sync\n")
    if url:
        click.echo(f"Sending webhooks to {url}. Their receiver needs the secret:\n")
        click.echo(f"  export RECALL_WEBHOOK_SECRET={SECRET}\n  recall-pipeline webhooks\n")
    click.echo("Stop with Ctrl-C.")
