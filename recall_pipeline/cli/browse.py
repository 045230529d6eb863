"""The command `browse`: serve the archive page. It needs no API key, and keeps none."""

import contextlib
import logging
import os
import socket
from typing import get_args

import click
from pydantic import SecretStr

from recall_pipeline.browse import ArchivePage, page_server
from recall_pipeline.cli.arguments import HostType
from recall_pipeline.cli.listening import host_in_url, open_port
from recall_pipeline.errors import UsageError
from recall_pipeline.settings import Settings, environment_name, is_loopback, load_settings
from recall_pipeline.storage import open_archive

_SEND_BUFFER_BYTES = 128 * 1024  # a player that stops reading has made the storage read little more


@click.command("browse")
@click.option(
    "--host", type=HostType(), default="127.0.0.1", show_default=True, help="Address to listen on, without TLS."
)
@click.option("--port", type=click.IntRange(0, 65535), default=8300, show_default=True, help="0: any free port.")
@click.option("--behind-proxy", is_flag=True, help="A proxy in front asks for a password: allow other addresses.")
def browse_command(host: str, port: int, behind_proxy: bool) -> None:
    """Serve a read-only page of the archive, until interrupted. Needs no API key.

    Shows days and recordings, why audio is missing, waveforms, transcripts and search, and plays the audio. The page
    asks for no password: other than on loopback, a proxy in front has to.
    """
    if not behind_proxy and not is_loopback(host):
        raise UsageError(
            f"{host_in_url(host)} is not a loopback address, and the page asks for no password: "
            "use --host 127.0.0.1, or --behind-proxy behind a proxy that asks for one"
        )
    settings = settings_without_secrets()
    page = ArchivePage(open_archive(settings), page_url=settings.page_url, is_behind_proxy=behind_proxy)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s", force=True)
    with open_port(host, port) as listener, contextlib.closing(page), contextlib.suppress(KeyboardInterrupt):
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)  # connections inherit it
        page.warm_up()
        click.echo(f"The archive page: http://{host_in_url(host)}:{listener.getsockname()[1]}  (stop with Ctrl-C)")
        page.start()
        page_server(page).run([listener])


def settings_without_secrets() -> Settings:
    """Load the settings, and remove every secret from them and from this process's environment."""
    secrets = [name for name, field in Settings.model_fields.items() if _is_secret(field.annotation)]
    settings = load_settings().model_copy(update=dict.fromkeys(secrets))
    variables = {environment_name(name) for name in secrets}
    for name in [name for name in os.environ if name.upper() in variables]:
        del os.environ[name]
    return settings


def _is_secret(annotation: object) -> bool:
    return annotation is SecretStr or any(map(_is_secret, get_args(annotation)))
