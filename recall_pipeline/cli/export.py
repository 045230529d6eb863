"""`export`: manifests for those who train and evaluate; needs no key."""

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
    """What `--to` takes: once the kind of manifest, and if wanted once more the last day."""

    name = "|".join((*FORMATS, DayType.name))

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str | date:
        """Return the kind, or the day, or fail."""
        if value in FORMATS:
            return str(value)
        try:
            return DAY.convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is neither a day nor {'|'.join(FORMATS)}", param, ctx)


@click.command("export")
@click.option("--to", "targets", type=_FormatOrDay(), multiple=True, help="The kind of manifest; again: the last day.")
@click.option(
    "--out", "folder", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the manifest."
)
@click.option("--from", "first", type=DAY, help="First day, included.  [default: the first there is]")
@click.option("--copy", is_flag=True, help="Copy the audio beside the manifest.")
def export_command(targets: Sequence[str | date], folder: Path, first: date | None, copy: bool) -> None:
    """List what is ready in the format of a training toolkit.

    --to names the kind, and in a second use the last day, included: export --to nemo --from 2026-03-01 --to 2026-03-31
    --out DIR. A manifest names the audio where it lies in the archive; with --copy it lies beside the manifest.
    """
    kind, last = _sorted_out(targets)
    if first and last and first > last:
        raise UsageError(f"--from {first} lies after --to {last}: swap them")
    with progress_bars() as progress:
        done = export(
            load_settings(), kind, folder, first=first, last=last, copy=copy,
            progress=lambda done, total: progress("recordings", done, total),
        )  # fmt: skip
    click.echo(f"{done.manifest}: {done.recordings} recordings, {done.duration_seconds / 3600:.2f} hours.")
    click.echo(
        done.audio_is if done.recordings else "No recording of these days is ready: see `recall-pipeline catalog`."
    )


def _sorted_out(targets: Sequence[str | date]) -> tuple[str, date | None]:
    """Return the kind and the last day that `--to` was given for."""
    kinds = [target for target in targets if isinstance(target, str)]
    days = [target for target in targets if isinstance(target, date)]
    if len(kinds) != 1:
        raise UsageError(f"name one kind of manifest: --to {'|'.join(FORMATS)}")
    if len(days) > 1:
        raise UsageError("--to names more than one last day: leave one of them out")
    return kinds[0], days[0] if days else None
