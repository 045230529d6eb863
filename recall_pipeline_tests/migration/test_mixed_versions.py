"""The documented recipes read an archive in which days of two schema versions are side by side."""

import re
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pytest

from recall_pipeline.catalog import CATALOG, read_catalog
from recall_pipeline.settings import Settings
from recall_pipeline.storage import open_archive
from recall_pipeline_tests.citations import ROOT
from recall_pipeline_tests.golden.conftest import READY_BY_DAY, ROWS, STORED
from recall_pipeline_tests.golden.world import FIRST, LAST


def recipe(page: str, library: str) -> str:
    """The first example on a page that imports a library."""
    blocks: list[str] = re.findall(
        r"^```python\n(.*?)^```", (ROOT / "docs" / page).read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    return next(block for block in blocks if f"import {library}" in block)


@pytest.fixture(params=[FIRST, LAST], ids=["the newer schema first", "the newer schema last"])
def mixed(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An archive in which one day has the present schema."""
    settings = Settings(storage_url=str(shutil.copytree(STORED, tmp_path / "data")))
    archive, day = open_archive(settings), request.param
    CATALOG.write(archive, day, CATALOG.read(archive, day) or [])
    monkeypatch.chdir(tmp_path)
    return settings


def run_recipe(page: str, library: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(recipe(page, library), page, "exec"), names)  # noqa: S102  our own
    return names


@pytest.mark.usefixtures("mixed")
def test_pandas_has_every_row_and_column() -> None:
    catalog: pd.DataFrame = run_recipe("tables.md", "pandas")["catalog"]
    assert len(catalog) == len(ROWS)
    assert set(catalog.columns) == {*CATALOG.columns, "day"}


@pytest.mark.usefixtures("mixed")
def test_duckdb_counts_every_day(capfd: pytest.CaptureFixture[str]) -> None:
    run_recipe("tables.md", "duckdb")
    printed = capfd.readouterr().out
    for day, ready in READY_BY_DAY.items():
        assert re.search(rf"{day} +│ +{ready} ", printed)


@pytest.mark.usefixtures("mixed")
def test_duckdb_joins_the_transcripts() -> None:
    with duckdb.connect():
        assert run_recipe("downstream.md", "duckdb")["said"].columns == ["day", "platform", "start_seconds", "text"]


@pytest.mark.usefixtures("mixed")
def test_polars_finds_material_of_both_days() -> None:
    material: pl.DataFrame = run_recipe("downstream.md", "polars")["material"]
    assert {f"{day}" for day in material["day"]} == {f"{FIRST}", f"{LAST}"}


def test_the_reader_of_the_package_has_every_row_and_column(mixed: Settings) -> None:
    catalog = read_catalog(settings=mixed)
    assert len(catalog) == len(ROWS)
    assert set(catalog.columns) == {*CATALOG.columns, "day"}
    assert {type(day) for day in catalog["day"]} <= {date, str, pd.Timestamp}
