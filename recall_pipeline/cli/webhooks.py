"""The command `webhooks`: receive the signed webhooks of Recall.ai into the archive."""

import contextlib
import logging

import click

from recall_pipeline.cli.arguments import HostType
from recall_pipeline.cli.listening import host_in_url, open_port
from recall_pipeline.settings import load_settings
from recall_pipeline.storage import open_archive
from recall_pipeline.webhooks import EventStore, webhook_app, webhook_server


@click.command("webhooks")
@click.option(
    "--host",
    type=HostType(),
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on, without TLS: use a proxy.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=8200, show_default=True, help="0: any free port.")
def webhooks_command(host: str, port: int) -> None:
    """Receive the signed webhooks of Recall.ai into the archive, until interrupted.

    Accepts them on any path and checks their signatures with RECALL_WEBHOOK_SECRET. Stores ids, type and timestamps
    until the sensor `finished_bots` has read them. GET /health answers 200 while the command serves.
    """
    settings = load_settings()
    app = webhook_app(settings)
    pending = EventStore(open_archive(settings)).pending_count()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", force=True)
    with open_port(host, port) as listener:
        address = f"http://{host_in_url(host)}:{listener.getsockname()[1]}"
        click.echo(f"Receiving webhooks on {address} (health: {address}/health); {pending} events wait for the sensor.")
        with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is the regular end
            webhook_server(app).run([listener])
