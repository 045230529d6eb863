"""The command `export`: write manifests for training toolkits. It needs no API key."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import click

from recall_pipeline.cli.arguments import DAY, DayType
from recall_pipeline.cli.progress import progress_bars
from recall_pipeline.errors import UsageError
from recall_pipeline.manifests import FORMATS, export
from recall_pipeline.settings import load_settings


class _FormatOrDay(click.ParamType[str | date]):
    """The type of `--to`: a manifest format in one use, the last day in another."""

    name = "|".join((*FORMATS, DayType.name))

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str | date:
        """Return the format or the day; fail with the possible values."""
        if value in FORMATS:
            return str(value)
        try:
            return DAY.convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is neither a date nor one of {'|'.join(FORMATS)}", param, ctx)


@click.command("export")
@click.option(
    "--to",
    "targets",
    type=_FormatOrDay(),
    multiple=True,
    help="Manifest format; in a second use: the last day, included.",
)
@click.option(
    "--out", "folder", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the manifest."
)
@click.option("--from", "first", type=DAY, help="First day, included.  [default: the first in the catalog]")
@click.option("--copy", is_flag=True, help="Copy the audio beside the manifest.")
def export_command(targets: Sequence[str | date], folder: Path, first: date | None, copy: bool) -> None:
    """List the `ready` recordings in the format of a training toolkit.

    --to is the manifest format, and in a second use the last day, included: export --to nemo --from 2026-03-01
    --to 2026-03-31 --out DIR. A manifest references the audio in the archive; with --copy, copies beside the manifest.
    """
    format_name, last = _format_and_last_day(targets)
    if first and last and first > last:
        raise UsageError(f"--from {first} is after --to {last}: swap them")
    with progress_bars() as progress:
        done = export(
            load_settings(), format_name, folder, first=first, last=last, copy=copy,
            progress=lambda done, total: progress("recordings", done, total),
        )  # fmt: skip
    click.echo(f"{done.manifest}: {done.recordings} recordings, {done.duration_seconds / 3600:.2f} hours.")
    click.echo(
        done.audio_note if done.recordings else "No recording of these days is ready: see `recall-pipeline catalog`."
    )


def _format_and_last_day(targets: Sequence[str | date]) -> tuple[str, date | None]:
    """Return the format and the last day among the values of `--to`. Raises UsageError if they are ambiguous."""
    formats = [target for target in targets if isinstance(target, str)]
    days = [target for target in targets if isinstance(target, date)]
    if len(formats) != 1:
        raise UsageError(f"choose one manifest format: --to {'|'.join(FORMATS)}")
    if len(days) > 1:
        raise UsageError("--to has more than one last day: omit one of them")
    return formats[0], days[0] if days else None
