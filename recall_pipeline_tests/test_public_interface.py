"""The list of public names is complete, and a listed name cannot vanish unnoticed (docs/versions.md)."""

import sys
import tomllib
from importlib.metadata import entry_points
from types import ModuleType

import pytest

from recall_pipeline_tests.citations import ROOT
from recall_pipeline_tests.test_docs import UPDATER

LISTING: ModuleType = sys.modules["public_interface"]  # beside tools/update_tables.py, which has imported it
TEXT = UPDATER.INTERFACE.read_text("utf-8")
LISTED = LISTING.listed_in(TEXT)


@pytest.fixture(scope="module")
def names() -> list[str]:
    found: list[str] = LISTING.public_names()
    return found


def test_a_listed_name_exists_in_the_code(names: list[str]) -> None:
    missing = [f"{line} is listed and is not in the code" for line in LISTED if line not in names]
    assert missing == [], "put the name back, or remove it as docs/versions.md (Removals) requires"


def test_a_public_name_is_listed(names: list[str]) -> None:
    assert [line for line in names if line not in LISTED] == [], "run tools/update_tables.py"


def test_the_list_is_in_order_and_has_its_header() -> None:
    assert LISTING.HEADER + "".join(f"{line}\n" for line in sorted(set(LISTED))) == TEXT


def test_an_update_keeps_a_line_whose_name_is_gone(names: list[str]) -> None:
    lines = LISTING.listed_in(LISTING.updated_interface("# a header\nasset of_former_times\n"))
    assert lines == sorted(["asset of_former_times", *names])


@pytest.mark.parametrize(
    "line",
    [
        "asset audio_catalog",
        "attribute recall_pipeline.RecallArchiveComponent storage_options",
        "attribute recall_transcripts.RecallTranscriptsComponent model",
        "check audio_catalog.nothing_missing",
        "column audio_catalog.findings list<element: string>",
        "command recall-pipeline bot create",
        "exit status 130",
        "import recall_pipeline.build_definitions",
        "job sync_day",
        "member recall_pipeline.downstream.RecallCatalog.read",
        "option recall-pipeline --env-file",
        "option recall-pipeline catalog --format csv",
        "outcome forgotten",
        "parameter recall_pipeline.catalog.read_catalog settings",
        "schedule daily_sync",
        "sensor finished_bots",
        "setting RECALL_START_DATE default 2025-01-01",
    ],
)
def test_every_kind_of_name_is_listed(line: str) -> None:
    assert line in LISTED


def test_the_program_and_both_packages_are_announced() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert scripts["scripts"] == {"recall-pipeline": "recall_pipeline.cli:main"}
    announced = {point.name for point in entry_points(group="dagster_dg_cli.registry_modules")}
    assert {"recall_pipeline", "recall_transcripts"} <= announced
