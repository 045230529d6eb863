"""What the documents say is so: commands parse, targets and files exist, tables are current, examples run."""

import ast
import importlib.util
import re
import shlex
import sys
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import click
import pytest
from dagster import AssetKey

from recall_pipeline.catalog import CATALOG, CatalogRow
from recall_pipeline.cli.main import cli
from recall_pipeline.definitions import defs
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, Layout

ROOT = Path(__file__).parent.parent
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
README, TABLES, TROUBLESHOOTING = (
    (ROOT / path).read_text("utf-8") for path in ("README.md", "docs/tables.md", "docs/troubleshooting.md")
)
DAY = date(2026, 3, 2)
ROW = CatalogRow(
    recording_id="c1a5c4be-0d4a-4b55-8f6e-1a2b3c4d5e6f",
    bot_name="Archive Bot",
    outcome="ready",
    created_at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
    duration_seconds=5400.0,
)


def load_updater() -> ModuleType:
    """Import tools/update_tables.py, which is a script beside the package, as are the modules that it imports."""
    sys.path.append(str(ROOT / "tools"))
    spec = importlib.util.spec_from_file_location("update_tables", ROOT / "tools" / "update_tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


UPDATER = load_updater()


def examples(language: str) -> list[str]:
    """The code blocks of a language in the README and on the page of the tables."""
    return re.findall(rf"^```{language}\n(.*?)^```", README + TABLES, re.MULTILINE | re.DOTALL)


def commands(document: Path) -> list[str]:
    """Every call of the command line in a document, in blocks and in running text."""
    text = document.read_text("utf-8")
    return re.findall(r"(?:^ *(?:\$ )?|`)(?:\.venv/bin/)?recall-pipeline( [^`\n]+)", text, re.MULTILINE)


@pytest.mark.parametrize("file", UPDATER.TABLES)
def test_the_tables_are_generated_from_the_code(file: str) -> None:
    assert (ROOT / file).read_text("utf-8") == UPDATER.updated(file), "run tools/update_tables.py"


@pytest.mark.parametrize(
    ("document", "command"),
    [(document.name, command) for document in DOCUMENTS for command in commands(document)],
)
def test_every_command_in_a_document_is_one(document: str, command: str) -> None:
    arguments = shlex.split(command, comments=True)
    arguments = ["c1a5c4be-0d4a-4b55-8f6e-1a2b3c4d5e6f" if word == "ID" else word for word in arguments]
    if arguments[0] == "--env-file":  # of the program, before the name of a command
        arguments = arguments[2:]
    parsing: click.Command = cli
    while isinstance(parsing, click.Group):
        found = parsing.get_command(click.Context(parsing), arguments.pop(0)) if arguments else None
        assert found is not None, f"{document} names a command that does not exist: {command}"
        parsing = found
    parsing.make_context(parsing.name, arguments, resilient_parsing="..." in arguments)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_module_that_a_document_names_with_its_folder_exists(document: Path) -> None:
    named = re.findall(r"`((?:[\w.]+/)+\w+\.py)`", document.read_text("utf-8"))
    folders = (ROOT, ROOT / "recall_pipeline", ROOT / "recall_pipeline_tests")
    assert [path for path in named if not any((folder / path).is_file() for folder in folders)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_target_in_a_document_is_one_of_the_makefile(document: Path) -> None:
    there = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", document.read_text("utf-8"), re.MULTILINE))
    assert named <= there


def test_the_messages_to_look_up_are_messages_of_the_code() -> None:
    sources = [path for package in ("recall_pipeline", "recall_transcripts") for path in (ROOT / package).rglob("*.py")]
    nodes = [node for path in sources for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    rows = TROUBLESHOOTING.partition("## Recall.ai")[2].partition("## A recording has no audio")[0]
    rows += TROUBLESHOOTING.partition("## Alerts")[2].partition("## Webhooks")[0]
    shown = [name for cell in re.findall(r"^\| (.+?) \|", rows, re.MULTILINE) for name in re.findall(r"`(.+?)`", cell)]
    parts = [part.strip() for name in shown if not name.startswith("HTTP ") for part in name.split("…")]
    assert len(parts) > 30
    assert [part for part in parts if not any(part in text for text in texts)] == []


def test_the_readme_follows_the_assets_in_their_order() -> None:
    names = re.findall(r"\w+", README.partition("![")[2].partition(",")[0])
    graph = defs.get_repository_def().asset_graph
    assert {AssetKey(name) for name in names} == graph.materializable_asset_keys - {AssetKey("fixity")}
    for before, after in pairwise(names):
        assert AssetKey(before) in graph.get(AssetKey(after)).parent_keys


def test_the_tables_page_shows_the_storage_as_it_is_laid_out() -> None:
    keys = [
        *(Layout.table(name, DAY) for name in ("bots", "recordings", "mixed_audio", "audio_catalog", "waveforms")),
        Layout.source(DAY, "<recording_id>", "<audio_id>"),
        Layout.normalized(DAY, "<recording_id>", "<audio_id>", "flac"),
    ]
    shown = TABLES.partition("## Storage layout")[2].partition("```\n")[2].partition("```")[0]
    assert sorted(line.split()[0] for line in shown.splitlines()) == sorted(keys)


def test_the_readme_states_the_schedule() -> None:
    repository = defs.get_repository_def()
    minute, hour, *_ = str(repository.get_schedule_def("daily_sync").cron_schedule).split()
    assert f"at {int(hour):02d}:{int(minute):02d} UTC" in README
    finished_bots = repository.get_sensor_def("finished_bots")
    assert finished_bots.minimum_interval_seconds == Settings.model_fields["sensor_interval_seconds"].default == 300
    assert "every five minutes" in README


@pytest.mark.parametrize("example", examples("python"), ids=["read_catalog", "pandas", "duckdb"])
def test_the_examples_read_the_catalog(
    example: str,
    archive: Archive,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    CATALOG.write(archive, DAY, [ROW])
    monkeypatch.setenv("RECALL_STORAGE_URL", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "an example", "exec"), {})  # noqa: S102  our own
    printed = capfd.readouterr().out
    assert "1.5" in printed or ("2026-03-02" in printed and "ready" in printed)
