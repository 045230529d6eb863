"""Ask before something is removed for good."""

import sys

import click

from recall_pipeline.errors import UsageError


def confirm(question: str, yes: bool) -> None:
    """Ask for confirmation unless `yes`. Raises UsageError without a terminal, where --yes is required."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("not a terminal: review with --dry-run, then pass --yes")
    click.confirm(question, abort=True, err=True)
