"""Importing the package reads no environment, no `.env`, and no network."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import recall_pipeline

ROOT = Path(__file__).parent.parent
POISON = """
import os, pkgutil, socket, sys
import dagster, dotenv, numpy, pandas, pyarrow, s3fs, av, click, rich, uvicorn, starlette  # others may read it

def refuse(*_, **__):
    raise AssertionError("reads what it must not")

class Poisoned(dict):
    def __getitem__(self, name):
        if name.upper().startswith("RECALL_"):
            refuse()
        return super().__getitem__(name)

    def get(self, name, default=None):
        return self[name] if name in self else default

    def __contains__(self, name):
        if str(name).upper().startswith("RECALL_"):
            refuse()
        return super().__contains__(name)

    def copy(self):
        return dict(self)  # for child processes

dotenv.load_dotenv = refuse
socket.socket.connect = socket.getaddrinfo = refuse
os.environ = Poisoned(os.environ)
"""
IMPORT_ALL = """
import recall_pipeline

def names():
    for module in pkgutil.walk_packages(recall_pipeline.__path__, "recall_pipeline."):
        if module.name not in ("recall_pipeline.definitions", "recall_pipeline.__main__"):
            yield module.name

imported = [__import__(name) for name in names()]
assert len(imported) > 100
"""
BUILD = """
import tempfile
from recall_pipeline import Settings, build_definitions
defs = build_definitions(Settings(storage_url=tempfile.gettempdir() + "/nowhere"))
defs.get_repository_def().load_all_definitions()
"""
READS = """
from recall_pipeline import Settings
Settings.from_environment()
"""


def run_poisoned(code: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run code in a process whose `.env`, environment and network must not be read."""
    (folder / "workspace.yaml").touch()
    (folder / ".env").write_text("RECALL_CONCURRENCY=many\n")
    return subprocess.run(  # noqa: S603  this interpreter
        [sys.executable, "-c", POISON + code],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "RECALL_REGION": "nowhere", "RECALL_START_DATE": "never", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("code", [IMPORT_ALL, BUILD], ids=["import", "build_definitions"])
def test_neither_an_import_nor_build_definitions_reads_the_environment(code: str, tmp_path: Path) -> None:
    done = run_poisoned(code, tmp_path)
    assert done.returncode == 0, done.stderr


def test_reading_the_settings_would_be_noticed(tmp_path: Path) -> None:
    assert "reads what it must not" in run_poisoned(READS, tmp_path).stderr


def test_no_name_that_is_imported_when_it_is_used_is_that_of_a_module() -> None:
    """Python sets each imported module as an attribute of its package: it would hide the name."""
    package = Path(recall_pipeline.__file__).parent
    hidden = [
        f"{folder.name}.{name}"
        for folder in (init.parent for init in package.rglob("__init__.py") if "lazy_names(" in init.read_text())
        for name in importlib.import_module(f"recall_pipeline.{folder.name}").__all__
        if (folder / f"{name}.py").exists() or (folder / name).is_dir()
    ]
    assert hidden == []
