"""`catalog`: read the catalog; needs no key."""

import math
from datetime import date
from typing import TYPE_CHECKING, Literal

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recall_pipeline.catalog import read_catalog
from recall_pipeline.catalog.outcomes import Outcome
from recall_pipeline.cli.arguments import DAY

if TYPE_CHECKING:
    import pandas as pd

_COLOURS = {"ready": "green", "silent": "cyan", "processing": "yellow", "corrupt": "red", "download_failed": "red"}
_WIDTH_WITHOUT_TERMINAL = 150


@click.command("catalog")
@click.option("--day", type=DAY, help="Only this day.")
@click.option("--outcome", type=click.Choice([str(outcome) for outcome in Outcome]), help="Only this outcome.")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
def command(day: date | None, outcome: str | None, form: Literal["table", "json", "csv"]) -> None:
    """Show the catalog: what became of each recording, and where its audio is."""
    rows = read_catalog(first=day, last=day, outcomes=[outcome] if outcome else None)
    rows = rows.sort_values(["day", "created_at", "recording_id"], kind="stable")
    if form == "table":
        show_catalog(rows)
    elif form == "json":
        click.echo(rows.to_json(orient="records", date_format="iso", date_unit="us", force_ascii=False))
    else:
        click.echo(rows.to_csv(index=False), nl=False)


def show_catalog(rows: "pd.DataFrame") -> None:
    """Print the catalog as a table that fits a terminal, and a line on what to do next."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_WITHOUT_TERMINAL)
    if rows.empty:
        console.print("The catalog has no such rows: `recall-pipeline sync` fills it.")
        return
    console.print(_table(rows))
    hours = rows["duration_seconds"].sum() / 3600
    ready = int((rows["outcome"] == "ready").sum())
    console.print(f"{len(rows)} rows, {ready} ready to listen to, {hours:.2f} hours of audio.")


def _table(rows: "pd.DataFrame") -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, keep, side in (
        ("started (UTC)", True, "left"), ("recording", True, "left"), ("bot", False, "left"),
        ("platform", False, "left"), ("outcome", True, "left"), ("length", True, "right"), ("LUFS", True, "right"),
        ("why", False, "left"),
    ):  # fmt: skip
        table.add_column(name, no_wrap=keep, justify="right" if side == "right" else "left", overflow="fold")
    for row in rows.to_dict("records"):
        colour = _COLOURS.get(row["outcome"], "dim")
        table.add_row(
            f"{row['created_at']:%Y-%m-%d %H:%M}",
            row["recording_id"][:8],
            _text(row["bot_name"]),
            _text(row["platform"]),
            f"[{colour}]{row['outcome']}[/]",
            _length(row["duration_seconds"]),
            _loudness(row["source_lufs"], row["audio_lufs"]),
            _text(row["outcome_reason"]),
        )
    return table


def _text(value: object) -> str:
    return escape(value) if isinstance(value, str) else ""


def _length(seconds: float) -> str:
    return "" if math.isnan(seconds) else f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _loudness(before: float, after: float) -> str:
    return "" if math.isnan(after) else f"{before:.1f} → {after:.1f}"
