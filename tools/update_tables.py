"""Write the docs' tables from the code: `.venv/bin/python tools/update_tables.py`. A test proves them current."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from recall_pipeline.audit import AUDIT
from recall_pipeline.catalog import CATALOG
from recall_pipeline.catalog.outcome_labels import OUTCOME_LABELS
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Table
from recall_transcripts.rows import TRANSCRIPTS
from recall_transcripts.settings import TranscriptsSettings

ROOT = Path(__file__).parent.parent
TABLES = {
    "README.md": ("outcomes", "settings"),
    "docs/catalog.md": ("columns",),
    "docs/downstream.md": ("transcripts settings", "transcripts columns"),
    "docs/privacy.md": ("audit",),
}


def updated(file: str) -> str:
    """Return the text of a file of `TABLES` with the tables between its markers made anew."""
    makers = {
        "outcomes": outcomes(),
        "settings": settings(Settings, "RECALL_"),
        "columns": columns(CATALOG, "The partition: UTC day of `created_at`"),
        "audit": columns(AUDIT),
        "transcripts settings": settings(TranscriptsSettings, "TRANSCRIPTS_"),
        "transcripts columns": columns(TRANSCRIPTS, "The partition, that of the recording"),
    }
    text = (ROOT / file).read_text("utf-8")
    for name in TABLES[file]:
        before, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- end of {name} -->")
        if not end:
            raise SystemExit(f"{file} has no place for the table of {name}")
        text = before + begin + "".join(f"{line}\n" for line in makers[name]) + end + after
    return text


def settings(of: type[BaseModel], prefix: str) -> Iterable[str]:
    """Return the table of settings."""
    yield from _header("variable", "default", "meaning")
    for name, field in of.model_fields.items():
        default = "none" if field.default is None else f"`{field.default}`"
        yield _row(f"`{prefix}{name}`".upper(), default, field.description or "")


def outcomes() -> Iterable[str]:
    """Return the table of outcomes."""
    yield from _header("outcome", "meaning", "looked at again")
    for outcome, meaning in OUTCOME_LABELS.items():
        yield _row(f"`{outcome}`", meaning.says, meaning.looked_at_again)


def columns(table: Table[Any], day: str | None = None) -> Iterable[str]:
    """Return the table of a table's columns, and of its partition if that has a meaning."""
    yield from _header("column", "type", "holds")
    for name, (kind, description) in table.columns.items():
        yield _row(f"`{name}`", kind, description)
    if day:
        yield _row("`day`", "date32[day]", day)


def _header(*names: str) -> Sequence[str]:
    return _row(*names), _row(*("---" for _ in names))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    for file in TABLES:
        (ROOT / file).write_text(updated(file), "utf-8")
