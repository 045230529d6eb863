"""Generate parts of the docs: `.venv/bin/python tools/update_tables.py`. A test checks that they are current."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from command_sections import command_sections
from error_messages import message_sections
from markdown_table import header, row
from public_interface import updated_interface
from pydantic import BaseModel

from recall_pipeline.audit import AUDIT
from recall_pipeline.catalog import CATALOG, FINDINGS, WAVEFORMS
from recall_pipeline.catalog.outcome_labels import OUTCOME_LABELS
from recall_pipeline.cli.main import cli
from recall_pipeline.discovery import BOTS, RECORDINGS
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.fixity import FIXITY
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Table
from recall_pipeline.verification import CODES
from recall_transcripts.rows import TRANSCRIPTS
from recall_transcripts.settings import TranscriptsSettings

ROOT = Path(__file__).parent.parent
TABLES = {
    "docs/concepts.md": ("outcomes",),
    "docs/configuration.md": ("settings",),
    "docs/tables.md": (
        "audio_catalog",
        "findings",
        "waveforms",
        "mixed_audio",
        "recordings",
        "bots",
        "audit",
        "fixity",
    ),
    "docs/cli.md": ("commands",),
    "docs/damage.md": ("damage",),
    "docs/troubleshooting.md": ("messages",),
    "docs/downstream.md": ("transcripts settings", "transcripts columns"),
}
INTERFACE = ROOT / "docs" / "design" / "public-interface.txt"


def updated(file: str) -> str:
    """Return the text of a file of `TABLES` with the parts between its markers generated again."""
    makers = {
        "outcomes": outcomes(),
        "settings": settings(Settings, "RECALL_"),
        "audio_catalog": columns(CATALOG, "The partition: UTC day of `created_at`"),
        "findings": findings(),
        "waveforms": columns(WAVEFORMS, "The partition, that of the recording"),
        "mixed_audio": columns(MIXED_AUDIO, "The partition, that of the recording"),
        "recordings": columns(RECORDINGS, "The partition: UTC day of `created_at`"),
        "bots": columns(BOTS, "The partition: UTC day on which the bot was to join"),
        "audit": columns(AUDIT, "The partition, that of the recording or bot"),
        "fixity": columns(FIXITY),
        "commands": command_sections(cli, "recall-pipeline"),
        "damage": damage(),
        "messages": message_sections(ROOT),
        "transcripts settings": settings(TranscriptsSettings, "TRANSCRIPTS_"),
        "transcripts columns": columns(TRANSCRIPTS, "The partition, that of the recording"),
    }
    text = (ROOT / file).read_text("utf-8")
    for name in TABLES[file]:
        before, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- end of {name} -->")
        if not end:
            raise SystemExit(f"{file} has no markers for {name!r}: add them")
        text = before + begin + "".join(f"{line}\n" for line in makers[name]) + end + after
    return text


def settings(of: type[BaseModel], prefix: str) -> Iterable[str]:
    """Return the table of settings."""
    yield from header("variable", "default", "meaning")
    for name, field in of.model_fields.items():
        default = "none" if field.default is None else f"`{field.default}`"
        yield row(f"`{prefix}{name}`".upper(), default, field.description or "")


def outcomes() -> Iterable[str]:
    """Return the table of outcomes."""
    yield from header("outcome", "meaning", "checked again")
    for outcome, label in OUTCOME_LABELS.items():
        yield row(f"`{outcome}`", label.meaning, label.checked_again)


def findings() -> Iterable[str]:
    """Return the table of finding codes."""
    yield from header("code", "meaning")
    for code, meaning in FINDINGS.items():
        yield row(f"`{code}`", meaning)


def damage() -> Iterable[str]:
    """Return the table of the codes of `verify`."""
    yield from header("code", "kind", "meaning", "cure")
    for code, explanation in CODES.items():
        yield row(f"`{code}`", explanation.kind, explanation.meaning, explanation.cure)


def columns(table: Table[Any], day: str | None = None) -> Iterable[str]:
    """Return the table of a table's columns, and of its partition `day` if it has one."""
    yield from header("column", "type", "since", "holds")
    for name, (kind, description) in table.columns.items():
        yield row(f"`{name}`", kind, str(table.since[name]), description)
    if day is not None:
        yield row("`day`", "date32[day]", "1", day)


if __name__ == "__main__":
    for file in TABLES:
        (ROOT / file).write_text(updated(file), "utf-8")
    INTERFACE.write_text(updated_interface(INTERFACE.read_text("utf-8")), "utf-8")
