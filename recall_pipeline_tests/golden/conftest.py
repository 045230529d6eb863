"""A copy of the archive `2026-11`, the command line on it, and a service with the same meetings."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from recall_pipeline_tests.cli.conftest import home, run, sandboxed
from recall_pipeline_tests.golden.world import as_last_synced
from recall_sandbox import Sandbox, World

__all__ = ["home", "run", "sandboxed"]

HERE = Path(__file__).parent
STORED = HERE / "2026-11"
EXPECTED: dict[str, Any] = json.loads((HERE / "expected.json").read_text("utf-8"))
ROWS: list[dict[str, Any]] = [{"day": day, **row} for day, rows in EXPECTED["rows"].items() for row in rows]
READY_BY_DAY = Counter(row["day"] for row in ROWS if row["outcome"] == "ready")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy; the archive in the repository is never opened."""
    return shutil.copytree(STORED, tmp_path / "moved" / "archive")


@pytest.fixture
def storage_url(root: Path) -> str:
    """The copy."""
    return str(root)


@pytest.fixture
def world() -> World:
    """The meetings as the last sync saw them."""
    return as_last_synced()


def media_asked(sandbox: Sandbox) -> set[str]:
    """The MP3s that were requested; one more request makes sure that all requests before it are logged."""
    httpx.get(f"{sandbox.api_url}/nothing/")
    return {Path(access.path).stem for access in sandbox.access_log.only(origin="media")}
