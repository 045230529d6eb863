"""The probe of `doctor --probe`: print its report as text or JSON, or write it to a file."""

import json
from pathlib import Path

import click

from recall_pipeline.api_probe import ProbeReport, probe_service, report_lines
from recall_pipeline.cli.main import FAILED
from recall_pipeline.errors import PipelineError, UsageError
from recall_pipeline.settings import Settings


def show_probe(settings: Settings, *, as_json: bool, file: Path | None) -> int:
    """Probe the workspace; return the exit status: 0, or 1 if the service refused or did not answer."""
    settings.required_api_key()
    report = _probed(settings)
    text = json.dumps(report.as_json(), indent=None if as_json and file is None else 2)
    if file is not None:
        _write_report(file, text)
    if as_json:
        click.echo(json.dumps(json.loads(text)))
    else:
        click.echo("\n".join(report_lines(report)))
        click.echo(_how_to_go_on(file))
    return FAILED if report.stopped else 0


def _probed(settings: Settings) -> ProbeReport:
    """Return the report; an unexpected error is named by its type only, because its text could contain a value."""
    try:
        return probe_service(settings)
    except PipelineError:
        raise
    except Exception as error:
        kind = type(error).__name__
        raise PipelineError(f"the probe ended with {kind}: report this line, it contains no value") from None


def _write_report(file: Path, text: str) -> None:
    try:
        file.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {file} ({error.strerror}): choose another --report") from None


def _how_to_go_on(file: Path | None) -> str:
    where = f"in {file}" if file else "with --report FILE"
    return (
        f"\nThe report {where} holds no value that the service sent, so it can be published. "
        "`recall-pipeline sandbox --like FILE` answers as it says."
    )
