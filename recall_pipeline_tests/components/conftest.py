"""A Dagster project of another team, in a temporary folder."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import dagster as dg
import pytest
import yaml

_PYPROJECT = """\
[tool.dg]
directory_type = "project"
[tool.dg.project]
root_module = "{module}"
"""
COMPONENT = "recall_pipeline.RecallArchiveComponent"


@dataclass(frozen=True)
class Project:
    """A project of `dg` with a module of its own."""

    root: Path
    module: str

    @property
    def defs(self) -> Path:
        """The folder of its definitions."""
        return self.root / "src" / self.module / "defs"

    def add(self, folder: str, component: str = COMPONENT, **attributes: object) -> None:
        """Write the defs.yaml of a component."""
        (self.defs / folder).mkdir(parents=True)
        text = yaml.safe_dump({"type": component, "attributes": attributes}, allow_unicode=True)
        (self.defs / folder / "defs.yaml").write_text(text, "utf-8")

    def load(self) -> dg.RepositoryDefinition:
        """Load all definitions, as a code server does."""
        repository = dg.load_from_defs_folder(path_within_project=self.defs).get_repository_def()
        repository.load_all_definitions()
        return repository

    def fault(self) -> str:
        """Return the last line of the error of loading."""
        with pytest.raises(Exception) as error:  # noqa: PT011  Dagster wraps it in one of its own
            self.load()
        cause: BaseException = error.value
        while cause.__cause__ is not None:
            cause = cause.__cause__
        return str(cause)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """An empty project."""
    made = Project(tmp_path / "project", f"project_{uuid4().hex}")
    made.defs.mkdir(parents=True)
    (made.root / "pyproject.toml").write_text(_PYPROJECT.format(module=made.module))
    for folder in (made.defs.parent, made.defs):
        (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(made.root / "src"))
    yield made
    for name in [name for name in sys.modules if name.split(".")[0] == made.module]:
        del sys.modules[name]
