"""The command `migrate`: change what an archive states about itself."""

import click

from recall_pipeline.errors import UsageError
from recall_pipeline.settings import load_settings
from recall_pipeline.storage import accept_api, host_in, open_archive


@click.command("migrate")
@click.option(
    "--accept-api", "host", required=True, metavar="HOST", help="The API host whose workspace this archive has."
)
def migrate_command(host: str) -> None:
    """Record in archive.json that the archive belongs to another API host, such as `eu-central-1.recall.ai`.

    Needs no key and no network. Until then, whatever talks to Recall.ai refuses the archive of another API.

    Exit status: 0 success; 1 an error; 2 wrong usage or settings.
    """
    name = host_in(host)
    if name is None or any(letter.isspace() for letter in name):
        raise UsageError(f"--accept-api {host!r} is not the name of a host: give one such as us-east-1.recall.ai")
    archive = open_archive(load_settings())
    accept_api(archive, name)
    click.echo(f"{archive.uri('archive.json')} names the API {name}.")
