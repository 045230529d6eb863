"""The command `migrate`: bring an archive to the present schema and place, and change the API that it names."""

import dataclasses
import json

import click

from recall_pipeline.cli.main import FAILED
from recall_pipeline.cli.progress import progress_bars
from recall_pipeline.errors import UsageError
from recall_pipeline.migration import MigrationReport, migrate_archive
from recall_pipeline.settings import Settings, load_settings
from recall_pipeline.storage import Archive, accept_api, api_host, create_identity, host_in, open_archive

_NAMES_THE_API = {"api_key", "api_url", "region"}


@click.command("migrate")
@click.option("--dry-run", is_flag=True, help="Count what would be rewritten; write nothing.")
@click.option("--accept-api", "host", metavar="HOST", help="The API host whose workspace this archive has.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line, the last of standard output.")
def migrate_command(dry_run: bool, host: str | None, as_json: bool) -> int:
    """Bring every table to the present schema and place. Needs no key and no network.

    Run it after an archive was moved, so that its URIs lead to its present place, and after an update of
    recall_pipeline, so that every table has the same columns. One day at a time is rewritten, each file in one step:
    it may be interrupted and repeated, and a second run changes nothing. Audio files are not touched. A missing
    archive.json is written.

    --accept-api also records in archive.json that the archive belongs to another API host, such as
    `eu-central-1.recall.ai`. Until then, whatever talks to Recall.ai refuses the archive of another API.

    \b
    The object of --json:
      days               days with a table
      tables_rewritten   tables of an older schema or place
      uris_rewritten     URIs in them that led elsewhere
      already_current    tables that are left as they are

    Exit status: 0 success; 1 a table cannot be read (listed on standard error; the others are migrated), or an error;
    2 wrong usage or settings.
    """
    name = _host_name(host)
    settings = load_settings()
    archive = open_archive(settings)
    with progress_bars() as progress:
        report = migrate_archive(archive, progress, dry_run=dry_run)
    if not dry_run:
        _write_identity(archive, settings, name, report)
    for line in report.error_lines:
        click.echo(line, err=True)
    click.echo(
        json.dumps(_counts_as_object(report)) if as_json else _migration_text(archive, report, name, dry_run=dry_run)
    )
    return FAILED if report.error_lines else 0


def _host_name(host: str | None) -> str | None:
    if host is None:
        return None
    name = host_in(host)
    if name is None or any(letter.isspace() for letter in name):
        raise UsageError(f"--accept-api {host!r} is not the name of a host: give one such as us-east-1.recall.ai")
    return name


def _write_identity(archive: Archive, settings: Settings, accepted: str | None, report: MigrationReport) -> None:
    """Write `archive.json` if it is missing or another API is accepted; a folder without a day is not an archive.

    The file names the API of the settings where they state one, else none: the next sync completes it.
    """
    if accepted is not None:
        accept_api(archive, accepted)
    elif report.days:
        create_identity(archive, api_host(settings) if settings.model_fields_set & _NAMES_THE_API else None)


def _counts_as_object(report: MigrationReport) -> dict[str, int]:
    return {name: count for name, count in dataclasses.asdict(report).items() if name != "error_lines"}


def _migration_text(archive: Archive, report: MigrationReport, accepted: str | None, *, dry_run: bool) -> str:
    rewritten = "would be rewritten" if dry_run else "rewritten"
    counts = f"{report.tables_rewritten} tables {rewritten}, with {report.uris_rewritten} URIs"
    lines = [f"{report.days} days: {counts}; {report.already_current} are current."]
    if not report.days:
        lines = [f"{archive.location.root} holds no day: check RECALL_STORAGE_URL."]
    if accepted is not None:
        lines.append(f"{archive.uri('archive.json')} {'would name' if dry_run else 'names'} the API {accepted}.")
    return "\n".join(lines)
