"""The command `catalog`: show the catalog as a table, JSON or CSV. It needs no API key."""

import math
import sys
from collections.abc import Hashable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recall_pipeline.catalog import CATALOG, OUTCOME_LABELS, Outcome, read_catalog
from recall_pipeline.cli.arguments import DAY

if TYPE_CHECKING:
    import pandas as pd

_WIDTH_WITHOUT_TERMINAL = 1000  # characters; one row per line, for grep


@click.command("catalog")
@click.option("--day", type=DAY, help="Only this day (UTC).")
@click.option(
    "--outcome",
    type=click.Choice([str(known) for known in OUTCOME_LABELS]),
    metavar="OUTCOME",
    help="Only this outcome: ready, corrupt, ...",
)
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True)
def catalog_command(day: date | None, outcome: str | None, form: Literal["table", "json", "csv"]) -> None:
    """Show the catalog: the outcome of each recording, and where its audio is.

    The table shortens ids and omits paths. json (one array) and csv contain every column.
    """
    rows = read_catalog(first=day, last=day, outcomes=[outcome] if outcome else None)
    rows = rows.sort_values(["day", "created_at", "recording_id"], kind="stable")
    if form == "table":
        show_catalog(rows)
    elif form == "json":
        click.echo(
            _with_plain_types(rows).to_json(orient="records", date_format="iso", date_unit="us", force_ascii=False)
        )
    else:
        click.echo(_with_joined_lists(_with_plain_types(rows)).to_csv(index=False), nl=False)


def show_catalog(rows: "pd.DataFrame") -> None:
    """Print the catalog as a table that fits the terminal, with a legend of its outcomes."""
    if rows.empty:
        click.echo("No matching rows in the catalog.")
        return
    _print(_table(rows))
    click.echo()
    _print(_legend(rows))
    click.echo(f"\n{len(rows)} rows, {_duration_text(rows['duration_seconds'].sum())} of audio.")


def _with_plain_types(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Return the rows with nullable integers (pandas reads them as floats) and with days as text."""
    whole = [name for name, (kind, _) in CATALOG.columns.items() if kind == "int64"]
    return rows.astype(dict.fromkeys(whole, "Int64")).assign(day=rows["day"].astype(str))


def _with_joined_lists(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Return the rows with their findings as one text each; null stays null."""
    return rows.assign(findings=rows["findings"].map(";".join, na_action="ignore"))


def _print(table: Table) -> None:
    if sys.stdout.isatty():
        Console().print(table)
        return
    console = Console(width=_WIDTH_WITHOUT_TERMINAL)
    with console.capture() as drawn:
        console.print(table)
    for line in drawn.get().splitlines():
        click.echo(line.rstrip())


def _table(rows: "pd.DataFrame") -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("started (UTC)", "recording", "bot", "platform", "outcome", "audio, or why it is missing"):
        table.add_column(name, no_wrap=name in ("started (UTC)", "recording", "outcome"), overflow="fold")
    for row in rows.to_dict("records"):
        table.add_row(
            f"{row['created_at']:%Y-%m-%d %H:%M}",
            row["recording_id"][:8],
            _escaped(row["bot_name"]),
            _escaped(row["platform"]),
            _coloured(row["outcome"]),
            "; ".join(filter(None, (_audio_text(row), _escaped(row["outcome_reason"])))),
        )
    return table


def _legend(rows: "pd.DataFrame") -> Table:
    counts = rows["outcome"].value_counts()
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right")
    for outcome, label in OUTCOME_LABELS.items():
        if outcome in counts:
            table.add_row(str(counts[outcome]), _coloured(outcome), label.meaning)
    return table


def _coloured(outcome: str) -> str:
    colour = OUTCOME_LABELS[Outcome(outcome)].colour if outcome in OUTCOME_LABELS else "dim"
    return f"[{colour}]{outcome}[/]"


def _audio_text(row: Mapping[Hashable, Any]) -> str:
    """Return duration and loudness (before and after normalization), as far as they are known."""
    before, after = row["source_lufs"], row["audio_lufs"]
    loudness = "" if math.isnan(after) else f"{before:.1f} → {after:.1f} LUFS"
    return ", ".join(filter(None, (_duration_text(row["duration_seconds"]), loudness)))


def _escaped(value: object) -> str:
    return escape(value) if isinstance(value, str) else ""


def _duration_text(seconds: float) -> str:
    """Return h:mm:ss, or m:ss below an hour; empty if the duration is unknown."""
    if math.isnan(seconds):
        return ""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
