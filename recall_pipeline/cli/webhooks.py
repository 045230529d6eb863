"""`webhooks`: receive Recall's signed webhooks into the archive."""

import contextlib
import logging
import socket

import click

from recall_pipeline.errors import UsageError
from recall_pipeline.settings import load_settings
from recall_pipeline.storage import open_archive
from recall_pipeline.webhooks import EventStore, webhook_app, webhook_server


@click.command("webhooks")
@click.option("--host", default="127.0.0.1", show_default=True, help="ArchiveLocation to listen on; TLS is a proxy's.")
@click.option("--port", type=click.IntRange(0, 65535), default=8200, show_default=True, help="0: any free one.")
def webhooks_command(host: str, port: int) -> None:
    """Receive Recall's signed webhooks into the archive, until interrupted.

    Takes them on any path, proves each with RECALL_WEBHOOK_SECRET, and keeps ids, type and times until the sensor
    `finished_bots` has looked. GET /health tells that it serves.
    """
    settings = load_settings()
    app = webhook_app(settings)
    waiting = EventStore(open_archive(settings)).pending_count()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", force=True)
    with _open_port(host, port) as listener:
        address = f"http://{host}:{listener.getsockname()[1]}"
        click.echo(f"Receiving webhooks on {address} (health: {address}/health); {waiting} events wait for the sensor.")
        with contextlib.suppress(KeyboardInterrupt):  # the way to end it
            webhook_server(app).run([listener])


def _open_port(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as fault:
        raise UsageError(
            f"cannot listen on {host}:{port} ({fault.strerror}): choose another --host or --port"
        ) from None
